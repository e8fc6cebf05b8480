"""The page's style sheet: one column on a phone, two on a desk, and a version for paper."""

SHEET = """
:root { color-scheme: light; --ink: #1f2933; --muted: #52606d; --rule: #d5dbe1; --wash: #f5f7f9; --link: #1d4568; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: #fff; color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main, header, footer { max-width: 1100px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 40px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 56px 0 12px; }
h3 { font-size: 1.05rem; line-height: 1.35; margin: 0 0 10px; }
p { margin: 0 0 12px; max-width: 68ch; }
.tagline { font-size: 1.15rem; color: var(--muted); margin-bottom: 4px; }
.run, figcaption, .note { color: var(--muted); font-size: 0.875rem; }
.run { overflow-wrap: anywhere; }
.numbers { display: grid; grid-template-columns: repeat(4, 1fr); gap: 20px 24px;
  margin: 28px 0 0; padding: 20px 0; border: solid var(--rule); border-width: 1px 0; }
.numbers div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.numbers dt { color: var(--muted); font-size: 0.875rem; line-height: 1.35; }
.numbers dd { margin: 0; font-size: 1.6rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
.scroll th:first-child { position: sticky; left: 0; background: #fff; white-space: nowrap; }
.scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
th, td { text-align: left; vertical-align: top; padding: 9px 18px 9px 0; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; }
.count { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: block; width: 150px; height: 12px; margin-top: 6px; }
.post { color: var(--muted); overflow-wrap: anywhere; }
.shares th[scope=row] { overflow-wrap: anywhere; }
.figures { margin-top: 20px; }
figure { margin: 0 0 44px; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; max-width: 560px; }
figure svg * { stroke-linejoin: round; stroke-linecap: butt; }
figcaption { margin-top: 10px; max-width: 60ch; }
figcaption p { margin-bottom: 6px; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 8px 0; padding: 0; }
.key b { display: inline-block; min-width: 1.4em; color: var(--ink); }
dl.terms { margin: 0; }
dl.terms dt { font-weight: 600; break-after: avoid; }
dl.terms dd { margin: 2px 0 14px; max-width: 68ch; }
.formula { display: block; margin-top: 2px; overflow-x: auto; font-family: Georgia, "Times New Roman", serif; }
ul.honest { margin: 0; padding-left: 20px; max-width: 68ch; }
ul.honest li { margin-bottom: 10px; }
li { overflow-wrap: anywhere; }
pre { background: var(--wash); padding: 14px 16px; overflow-x: auto; font-size: 0.8125rem; line-height: 1.5;
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; margin: 10px 0 20px; }
summary { cursor: pointer; font-weight: 600; }
footer { border-top: 1px solid var(--rule); margin-top: 48px; padding-top: 16px; padding-bottom: 40px; }
@media (max-width: 559px) {
  .numbers { grid-template-columns: 1fr 1fr; }
  .scroll th, .scroll td { padding-right: 12px; }
  .shares, .shares tbody { display: block; }
  .shares thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .shares tr { display: grid; grid-template-columns: 1fr auto; border-bottom: 1px solid var(--rule); padding: 8px 0; }
  .shares th, .shares td { border: 0; padding: 2px 0; }
  .shares .drawn, .shares .post { grid-column: 1 / -1; }
  .shares .bar { width: 100%; margin: 2px 0 4px; }
}
@media (min-width: 900px) {
  .figures { columns: 2; column-gap: 56px; }
  .terms-wide { columns: 2; column-gap: 56px; }
  .terms-wide > div { break-inside: avoid; }
}
@media print {
  html { font-size: 9.5pt; }
  body { font-size: 1rem; }
  .scroll th:first-child { position: static; }
  header { padding-top: 0; }
  main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  h2, h3 { break-after: avoid; }
  h2 { margin-top: 28px; }
  .figures { columns: 2; column-gap: 24px; }
  .scroll, pre { overflow: visible; }
  pre { white-space: pre-wrap; }
  tr { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
