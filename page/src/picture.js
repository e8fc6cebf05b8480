/** A picture of a mirror: what was shown, where it led on the map, and one number. */
import { CORNERS, SHAPES, CLUSTERS } from "./kinds.js";
import { colorsOf } from "./field.js";
import { wrap } from "./save.js";
import { verdict } from "./visitor.svelte.js";

/** Return a PNG of some width and height, in the colours of the theme. */
export async function pictureOf(steps, names, width, height, address) {
  await document.fonts.ready;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const brush = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const [paper, ink, quiet, line] = ["--paper", "--ink", "--quiet", "--line"].map(color);
  const kinds = colorsOf(document.documentElement);
  const edge = 64, tall = height > width;
  brush.fillStyle = paper;
  brush.fillRect(0, 0, width, height);
  const found = verdict(steps);
  const words = found.leads ? `${found.of} of my last 10 posts were one kind.` : "It has not found me yet.";
  const room = tall ? width - 2 * edge : width - 3 * edge - (height - 230);
  const rise = tall ? 82 : 66;
  brush.fillStyle = ink;
  brush.font = `${tall ? 76 : 60}px Newsreader`;
  const said = wrap(brush, words, room);
  said.forEach((text, i) => brush.fillText(text, edge, edge + 62 + i * rise));
  brush.fillStyle = quiet;
  brush.font = "24px Inter";
  if (found.leads) brush.fillText(`${CLUSTERS[found.kind]}: ${names[found.kind]}`, edge, edge + 48 + said.length * rise);

  const side = tall ? width - 2 * edge - 120 : height - 230;
  const [left, top] = tall ? [edge + 60, height - side - 260] : [width - edge - side, edge];
  const place = ([x, y]) => [left + ((x + 1) * side) / 2, top + ((1 - y) * side) / 2];
  brush.strokeStyle = line;
  brush.lineWidth = 2;
  brush.strokeRect(left, top, side, side);
  CORNERS.forEach((corner, a) => {
    const [x, y] = place(corner);
    tile(brush, SHAPES[a], kinds[a], x - 14, y - 14, 2.8);
  });
  brush.strokeStyle = ink;
  brush.lineWidth = 4;
  brush.beginPath();
  [[0, 0], ...steps.map((step) => step.place)].forEach((one, i) => brush[i ? "lineTo" : "moveTo"](...place(one)));
  brush.stroke();
  const [x, y] = place(steps.at(-1)?.place ?? [0, 0]);
  brush.fillStyle = ink;
  brush.beginPath();
  brush.arc(x, y, 13, 0, 7);
  brush.fill();

  const slot = (width - 2 * edge) / Math.max(20, steps.length);
  steps.forEach((step, i) => {
    brush.fillStyle = kinds[step.category];
    brush.fillRect(edge + i * slot, height - 150, slot - 4, Math.min(slot - 4, 48));
    tile(brush, SHAPES[step.category], paper, edge + i * slot + (slot - 4) / 2 - 8, height - 150 + Math.min(slot - 4, 48) / 2 - 8, 1.6);
  });
  brush.fillStyle = quiet;
  brush.font = "22px Inter";
  const foot = `mirrorfield: ${steps.length} posts and my reactions, replayed by the same gradient that serves everyone.`;
  wrap(brush, foot, width - 2 * edge).forEach((text, i) => brush.fillText(text, edge, height - 66 + i * 28));
  if (address.startsWith("http") && !address.includes("127.0.0.1") && !tall) brush.fillText(new URL(address).host, edge, height - 20);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function tile(brush, shape, color, x, y, scale) {
  brush.save();
  brush.translate(x, y);
  brush.scale(scale, scale);
  brush.fillStyle = color;
  brush.fill(new Path2D(shape));
  brush.restore();
}
