/** The README's picture, of what the page itself draws: its crowd at four posts, and the four cards. For screenshot.py. */
async (frames) => {
  const told = await (await fetch("recorded/crowd.json")).json();
  const crowd = document.getElementById("crowd").closest("section");
  const [slider, canvas, frame] = ["input[type=range]", ".map canvas", ".map svg"].map((name) => crowd.querySelector(name));
  const drawn = [];
  for (const at of frames) {
    slider.value = at;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    drawn.push(canvas.toDataURL());
  }
  const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)}%`;
  const cards = [0, 1, 2, 3].map((a) => crowd.querySelector(`.at${a}`));
  const maps = frames.map((at, i) => `
    <figure>
      <div class="map">${frame.outerHTML}<img src="${drawn[i]}"></div>
      <figcaption><span>post <b>${told.frames[at].step.toLocaleString("en")}</b></span><span>locked in <b>${percent(told.frames[at].locked_in)}</b></span></figcaption>
    </figure>`);
  const texts = cards.map((card, a) => `
    <article><p class="name">${card.querySelector(".glyph").outerHTML} ${told.kinds[a]}<span>${percent(told.frames.at(-1).shares[a])}</span></p>
      <p class="quote">${card.querySelector(".quote").textContent}</p></article>`);
  document.body.innerHTML = `<main class="film">${maps.join("")}${texts.join("")}</main>`;
  await Promise.all([...document.images].map((image) => image.decode()));
}
