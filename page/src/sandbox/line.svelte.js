/** A conversation with the server that comes back: when it is lost, it is tried again, each time after twice as long. */
const FIRST_WAIT = 1000, LONGEST_WAIT = 15000, AWAKE = 60000;

/** What the page says about its connections: shown on top of everything, wherever the reader is. */
export const lines = $state({ lost: {} });

/**
 * Open a line by its name. `hear` gets every message, `back` runs when a lost line is there again, and `awake` says something
 * that changes nothing, each minute while the page is in sight, so that a visit in sight never ends for idleness.
 */
export function lineTo(name, { hear, back, awake }) {
  let socket, wait = FIRST_WAIT, before = false;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const address = `${scheme}://${location.host}${location.pathname.replace(/[^/]*$/, "")}${name}`;
  const line = {
    get open() {
      return socket?.readyState === WebSocket.OPEN;
    },
    say: (message) => line.open && socket.send(JSON.stringify(message)),
  };
  function dial() {
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => hear(typeof event.data === "string" ? JSON.parse(event.data) : event.data);
    socket.onopen = () => {
      wait = FIRST_WAIT;
      delete lines.lost[name];
      if (before) back();
      before = true;
    };
    socket.onclose = (event) => {
      lines.lost[name] = event.reason || "the server does not answer";
      setTimeout(dial, wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
  }
  dial();
  setInterval(() => document.visibilityState === "visible" && awake(), AWAKE);
  return line;
}
