/** Draw dots by WebGL: places as 16-bit integers in units of 1/32,000, and a category each. No library: one that compiles
 *  its programs with `Function` could not run under the page's content policy. */
const VERTEX = `
attribute vec2 place; attribute float category;
uniform vec3 colors[4]; uniform float size; varying vec3 color;
void main() {
  gl_Position = vec4(place / 32000.0 * 0.96, 0.0, 1.0);
  gl_PointSize = size;
  int c = int(category + 0.5);
  color = c == 0 ? colors[0] : c == 1 ? colors[1] : c == 2 ? colors[2] : colors[3];
}`;
const FRAGMENT = `
precision mediump float; varying vec3 color;
void main() {
  vec2 away = gl_PointCoord - 0.5;
  if (dot(away, away) > 0.25) discard;
  gl_FragColor = vec4(color * 0.62, 0.62);
}`;

function shader(gl, kind, source) {
  const made = gl.createShader(kind);
  gl.shaderSource(made, source);
  gl.compileShader(made);
  return made;
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);

/** Return a function that draws a frame, or null where there is no WebGL. */
export function painter(canvas, colors) {
  const gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = gl.createProgram();
  gl.attachShader(program, shader(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, shader(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.uniform3fv(gl.getUniformLocation(program, "colors"), colors.flatMap(rgb));
  const [places, categories] = [gl.createBuffer(), gl.createBuffer()];
  const feed = (buffer, name, size, type, data) => {
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, type, false, 0, 0);
  };
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return (xy, category) => {
    const sharp = Math.min(devicePixelRatio || 1, 2);
    const side = Math.round(canvas.clientWidth * sharp);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    gl.viewport(0, 0, side, side);
    gl.uniform1f(gl.getUniformLocation(program, "size"), 2.4 * sharp);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    feed(places, "place", 2, gl.SHORT, xy);
    feed(categories, "category", 1, gl.UNSIGNED_BYTE, category);
    gl.drawArrays(gl.POINTS, 0, category.length);
  };
}
