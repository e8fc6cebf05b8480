/** Draw how many people of each kind stand in each cell of a grid: the mean colour, as strong as the logarithm of their number. */
export const GRID = 128;

export function paintTiles(canvas, counts, colors) {
  const cells = GRID * GRID;
  if (canvas.width !== GRID) canvas.width = canvas.height = GRID;
  const brush = canvas.getContext("2d");
  const image = brush.createImageData(GRID, GRID);
  const rgb = colors.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  let most = 1;
  const total = new Float32Array(cells);
  for (let a = 0; a < colors.length; a++) for (let i = 0; i < cells; i++) total[i] += counts[a * cells + i];
  for (let i = 0; i < cells; i++) most = Math.max(most, total[i]);
  for (let i = 0; i < cells; i++) {
    if (!total[i]) continue;
    const at = 4 * ((GRID - 1 - Math.floor(i / GRID)) * GRID + (i % GRID));
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let a = 0; a < colors.length; a++) sum += rgb[a][c] * counts[a * cells + i];
      image.data[at + c] = sum / total[i];
    }
    image.data[at + 3] = 40 + (215 * Math.log1p(total[i])) / Math.log1p(most);
  }
  brush.putImageData(image, 0, 0);
}
