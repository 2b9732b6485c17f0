"""What this visitor has chosen: data set, model, generated set, and the job whose outcome is awaited.

The only place that names session-state keys. The choices live in the session and are mirrored in the URL, so
that they survive a page switch, a reload and a shared link; the content itself lives in the store.
"""

from ui.state.beginning import begin_run
from ui.state.choices import (
    WORDS,
    choose,
    choose_experimental,
    choose_from_picker,
    choose_generated,
    choose_model,
    chosen,
    experimental,
    generated,
    model,
    picker_key,
    records,
)
from ui.state.data_folder import jobs, keep_set, store
from ui.state.deleting import Deleted, delete, empty_bin, forget_deleted, last_deleted, restore
from ui.state.followed import followed_job, followed_job_ended, start_job
from ui.state.import_under_way import ImportDraft, end_import, import_draft, import_round, set_import_draft
from ui.state.learning import Quiz, note_step, quiz
from ui.state.notice_board import draw_notice, notices, notify, warned_in
from ui.state.unknown import forget_unknown, take_unknown, unknown, unknown_round
from ui.state.widget_values import (
    BY_CHOICES,
    EXPERIMENT_TEXT,
    EXPERIMENT_WAY,
    FROM_JSON,
    say_if_link_is_dead,
    set_widget,
    set_widget_for,
    start_experiment_from,
    take_experiment,
    unless_set,
)
from ui.state.workspace import (
    PARAMETER,
    Opened,
    home,
    is_class,
    leave_workspace,
    link,
    signed_in_as,
    signs_in,
    workspace,
)

__all__ = [
    "BY_CHOICES",
    "EXPERIMENT_TEXT",
    "EXPERIMENT_WAY",
    "FROM_JSON",
    "PARAMETER",
    "WORDS",
    "Deleted",
    "ImportDraft",
    "Opened",
    "Quiz",
    "begin_run",
    "choose",
    "choose_experimental",
    "choose_from_picker",
    "choose_generated",
    "choose_model",
    "chosen",
    "delete",
    "draw_notice",
    "empty_bin",
    "end_import",
    "experimental",
    "followed_job",
    "followed_job_ended",
    "forget_deleted",
    "forget_unknown",
    "generated",
    "home",
    "import_draft",
    "import_round",
    "is_class",
    "jobs",
    "keep_set",
    "last_deleted",
    "leave_workspace",
    "link",
    "model",
    "note_step",
    "notices",
    "notify",
    "picker_key",
    "quiz",
    "records",
    "restore",
    "say_if_link_is_dead",
    "set_import_draft",
    "set_widget",
    "set_widget_for",
    "signed_in_as",
    "signs_in",
    "start_experiment_from",
    "start_job",
    "store",
    "take_experiment",
    "take_unknown",
    "unknown",
    "unknown_round",
    "unless_set",
    "warned_in",
    "workspace",
]
