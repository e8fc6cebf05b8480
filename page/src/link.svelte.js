/** The conversation with the server: the last view, the posts so far, and what to say. Nothing is computed here. */
const KEEP = 120;

export const live = $state({ view: null, steps: [], about: null, trouble: "", waiting: true });

let socket;

export function socketTo(name) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${location.host}${location.pathname.replace(/[^/]*$/, "")}${name}`);
}

export async function open() {
  live.about = await (await fetch("api/about")).json();
  socket = socketTo("live");
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    live.waiting = false;
    if (told.type === "error") {
      live.trouble = told.text;
      return;
    }
    live.trouble = "";
    if (told.t === 0) live.steps = [];
    live.steps = [...live.steps, ...told.steps].slice(-KEEP);
    live.view = told;
  };
  socket.onclose = (event) => {
    live.waiting = true;
    live.trouble = event.reason || "The server has gone. Reload the page to start anew.";
  };
}

/** Say something, unless the answer to the last thing said is still on its way: the page never queues. */
export function say(message) {
  if (live.waiting || socket?.readyState !== WebSocket.OPEN) return false;
  live.waiting = true;
  socket.send(JSON.stringify(message));
  return true;
}
