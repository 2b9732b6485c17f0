"""A visitor without a browser: a session of a served app, by Streamlit's own protocol over a WebSocket."""

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE = 60.0


class Session:
    """One connection; `http` is an `httpx.Client` whose cookies it shares.

    Parameters
    ----------
    query
        Of the address, without a question mark.
    page
        Last part of the address; empty for the first page.
    """

    def __init__(self, http, query="", page=""):
        http.get("/_stcore/health").raise_for_status()  # gives the cookie against forged requests
        origin = str(http.base_url).rstrip("/")
        cookies = "; ".join(f"{one.name}={one.value}" for one in http.cookies.jar)
        self.query, self.page = query, page
        self._connection = connect(
            origin.replace("http", "ws", 1) + "/_stcore/stream",
            origin=origin,
            subprotocols=["streamlit", http.cookies["_streamlit_xsrf"]],
            additional_headers={"Cookie": cookies},
            max_size=None,
        )

    def __enter__(self):
        self._socket = self._connection.__enter__()
        return self

    def __exit__(self, *ending):
        self._connection.__exit__(*ending)

    def run(self, pressed=None):
        """Run the script, with a button pressed where its label is given, and return all messages."""
        asking = BackMsg()
        asking.rerun_script.query_string = self.query
        asking.rerun_script.page_name = self.page
        if pressed is not None:
            (button,) = {one.id for one in map(_button, self.messages) if one.label == pressed}
            state = asking.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = button, True
        self._socket.send(asking.SerializeToString())
        self.messages = []
        while True:
            message = ForwardMsg.FromString(self._socket.recv(PATIENCE))
            self.messages.append(message)
            if message.WhichOneof("type") in ("script_finished", "auth_redirect"):
                return self.messages

    @property
    def text(self):
        """Everything the last run sent, to search in."""
        return "\n".join(map(str, self.messages))


def _button(message):
    return message.delta.new_element.button
