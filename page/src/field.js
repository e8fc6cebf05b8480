/** Draw people as dots by WebGL, on their way from one place to the next. No library: one that compiles its programs with
 *  `Function` could not run under the page's content policy. Places are 16-bit integers in units of 1/32,000. A kind of 4 is
 *  nobody's: before the first post no kind leads. */
const VERTEX = `
attribute vec2 before; attribute vec2 after; attribute vec2 jitter; attribute float kind;
uniform vec3 colors[5]; uniform float size; uniform float along; uniform float spread; uniform float lit; uniform float edge;
varying vec4 color; varying float shape;
void main() {
  vec2 place = mix(before, after, along) / 32000.0;
  gl_Position = vec4(place * edge + jitter * spread, 0.0, 1.0);
  gl_PointSize = size;
  shape = floor(kind + 0.5);
  vec3 own = shape < 0.5 ? colors[0] : shape < 1.5 ? colors[1] : shape < 2.5 ? colors[2] : shape < 3.5 ? colors[3] : colors[4];
  color = vec4(own, lit < 0.0 || abs(lit - shape) < 0.5 ? 0.72 : 0.1);
}`;
const FRAGMENT = `
precision mediump float; varying vec4 color; varying float shape;
void main() {
  vec2 at = gl_PointCoord - 0.5;
  bool out_of_it = shape < 0.5 ? (at.y - 0.45 > 0.0 || abs(at.x) > (at.y + 0.5) * 0.52) :
    shape < 1.5 ? max(abs(at.x), abs(at.y)) > 0.42 : shape < 2.5 || shape > 3.5 ? dot(at, at) > 0.23 : abs(at.x) + abs(at.y) > 0.5;
  if (out_of_it) discard;
  gl_FragColor = vec4(color.rgb * color.a, color.a);
}`;

function shader(gl, kind, source) {
  const made = gl.createShader(kind);
  gl.shaderSource(made, source);
  gl.compileShader(made);
  return made;
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);

let colors = null;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (colors = null));

/** The colours of the theme, looked up again when it changes. */
export function colorsOf(element) {
  const style = getComputedStyle(element);
  return (colors ??= [0, 1, 2, 3].map((a) => style.getPropertyValue(`--kind-${a}`).trim()));
}

/** A disc for each dot, the same every time, so that people in one place look like people. */
function discs(n) {
  const places = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    const [r, turn] = [Math.sqrt(((i * 0.7548776662466927) % 1)), 2 * Math.PI * ((i * 0.5698402909980532) % 1)];
    [places[2 * i], places[2 * i + 1]] = [r * Math.cos(turn), r * Math.sin(turn)];
  }
  return places;
}

/** Return a function that draws people between two places each, `along` from 0 to 1; null without WebGL. */
export function painter(canvas, n, { size = 3, spread = 0.045, edge = 0.9 } = {}) {
  const gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = gl.createProgram();
  gl.attachShader(program, shader(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, shader(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  gl.useProgram(program);
  const places = {};
  const place = (name) => (places[name] ??= gl.getUniformLocation(program, name));
  const set = (name, value) => gl.uniform1f(place(name), value);
  const buffers = {}, fed = {};
  const feed = (name, width, type, data) => {
    if (fed[name] === data) return;
    fed[name] = data;
    buffers[name] ??= gl.createBuffer();
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, width, type, false, 0, 0);
  };
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.clearColor(0, 0, 0, 0);
  feed("jitter", 2, gl.FLOAT, discs(n));
  set("spread", spread);
  set("edge", edge);
  return (before, after, kind, along = 0, lit = -1) => {
    const sharp = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * sharp));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    feed("before", 2, gl.SHORT, before);
    feed("after", 2, gl.SHORT, after);
    feed("kind", 1, gl.UNSIGNED_BYTE, kind);
    gl.uniform3fv(place("colors"), [...colorsOf(canvas), getComputedStyle(canvas).getPropertyValue("--quiet").trim()].flatMap(rgb));
    set("size", size * sharp);
    set("along", along);
    set("lit", lit);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawArrays(gl.POINTS, 0, n);
  };
}

/** Draw a recording at a frame, 2.5 say halfway from its third to its fourth. */
export function drawFrame(paint, { frames }, at, lit) {
  const first = Math.max(0, Math.min(frames.length - 2, Math.floor(at)));
  const nearest = Math.max(0, Math.min(frames.length - 1, Math.round(at)));
  paint(frames[first].places, frames[first + 1].places, frames[nearest].kind, Math.min(1, at - first), lit);
}
