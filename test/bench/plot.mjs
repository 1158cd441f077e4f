// Ratios as bars, from a line at 1: to its right what is more than the peer's, to its left what is less.

/** @typedef {{ label: string, ratio: number }} Bar */
/** @typedef {{ title: string, better: 'more' | 'less', bars: Bar[] }} Group */

const WIDTH = 800;
const LABEL_WIDTH = 270;
const RIGHT_MARGIN = 30;
const ROW = 21;
const TITLE_ROW = 36;
const AXIS_ROW = 26;
const TOP = 12;
const BAR_HEIGHT = 13;
// The scale is logarithmic: half as much is as long a bar as twice as much.
const TICKS = [0.125, 0.25, 0.5, 1, 2, 4, 8];
const FARTHEST = 9.2;
// A label beside the end of a bar needs this.
const VALUE_WIDTH = 46;

// It has a ground of its own, so that it can be read wherever it is shown.
const STYLE = `
  svg { --ground: #ffffff; --text: #1f2328; --faint: #d1d9e0; --line: #59636e; --better: #1a7f5a; --worse: #c4622d }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --text: #e6edf3; --faint: #30363d; --line: #9198a1; --better: #3fb68b; --worse: #e08a56 }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--text) }
  .title { font-weight: 600 }
  .small { font-size: 11px; fill: var(--line) }
  .ground { fill: var(--ground) }
  .faint { stroke: var(--faint) }
  .one { stroke: var(--line); stroke-width: 1.5 }
  .better { fill: var(--better) }
  .worse { fill: var(--worse) }
`;

/** An SVG document. @param {Group[]} groups */
export function plot(groups) {
  const shown = groups.filter(({ bars }) => bars.length > 0);
  let y = TOP;
  const parts = shown.map((group) => {
    const part = drawGroup(group, y);
    y += heightOf(group);
    return part;
  });
  const bottom = y;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + AXIS_ROW}" width="${WIDTH}" role="img" aria-label="Ratios of ironcached to its peers">
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${bottom + AXIS_ROW}" rx="8"/>
${TICKS.map((tick) => drawTick(tick, bottom)).join('\n')}
${parts.join('\n')}
</svg>
`;
}

/** @param {Group} group */
function heightOf({ bars }) {
  return TITLE_ROW + bars.length * ROW;
}

/** @param {number} tick @param {number} bottom */
function drawTick(tick, bottom) {
  const x = xOf(tick);
  const line = `<line class="${tick === 1 ? 'one' : 'faint'}" x1="${x}" x2="${x}" y1="${TOP + TITLE_ROW - 2}" y2="${bottom}"/>`;
  return `${line}<text class="small" x="${x}" y="${bottom + 16}" text-anchor="middle">${tick} ×</text>`;
}

/** @param {Group} group @param {number} top */
function drawGroup({ title, better, bars }, top) {
  const heading = `<text class="title" x="16" y="${top + 24}">${escaped(title)} <tspan class="small">${better} is better</tspan></text>`;
  const rows = bars.map((bar, i) => drawBar(bar, better, top + TITLE_ROW + i * ROW));
  return [backed(heading, top), ...rows].join('\n');
}

// The lines of the scale do not go through a title.
/** @param {string} heading @param {number} top */
function backed(heading, top) {
  return `<rect class="ground" x="4" y="${top + 10}" width="${WIDTH - 8}" height="${TITLE_ROW - 12}"/>${heading}`;
}

/** @param {Bar} bar @param {'more' | 'less'} better @param {number} top */
function drawBar({ label, ratio }, better, top) {
  const [one, end] = [xOf(1), xOf(ratio)];
  const isBetter = better === 'more' ? ratio >= 1 : ratio <= 1;
  const name = `<text x="${LABEL_WIDTH - 8}" y="${top + 12}" text-anchor="end">${escaped(label)}</text>`;
  const place = `x="${Math.min(one, end)}" y="${top + 1}" width="${round(Math.abs(end - one))}" height="${BAR_HEIGHT}"`;
  const side = ratio >= 1 ? `x="${end + 6}"` : `x="${end - 6}" text-anchor="end"`;
  const value = `<text class="small" ${side} y="${top + 12}">${ratio.toFixed(2)}</text>`;
  return `${name}<rect class="${isBetter ? 'better' : 'worse'}" ${place} rx="2"/>${value}`;
}

/** @param {number} ratio */
function xOf(ratio) {
  const within = Math.min(Math.max(ratio, 1 / FARTHEST), FARTHEST);
  const share = (Math.log(within) / Math.log(FARTHEST) + 1) / 2;
  const left = LABEL_WIDTH + VALUE_WIDTH;
  return round(left + share * (WIDTH - RIGHT_MARGIN - VALUE_WIDTH - left));
}

/** @param {number} number */
function round(number) {
  return Math.round(number * 10) / 10;
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
