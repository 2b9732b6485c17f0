"""What Enter does in the forms of a page."""

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block


def require_numbers_that_start_nothing(app: AppTest) -> None:
    """Enter in a field of a number takes the number: a form with one must wait for its button."""
    waiting = {block.proto.form.form_id for block in blocks(app.main) if not block.proto.form.enter_to_submit}
    assert {field.proto.form_id for field in app.number_input if field.proto.form_id} <= waiting


def blocks(of: Block) -> list[Block]:
    """Return the forms within a block, however deep."""
    inner = [child for child in of.children.values() if isinstance(child, Block)]
    return [one for child in inner for one in ([child] if child.type == "form" else []) + blocks(child)]
