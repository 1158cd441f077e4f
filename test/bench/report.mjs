let said = '';

/** @param {string} [text] a line or several of Markdown */
export function say(text = '') {
  process.stdout.write(`${text}\n`);
  said += `${text}\n`;
}

/** All that was said since this was last asked. */
export function takeSaid() {
  const text = said;
  said = '';
  return text;
}

/** What is being done right now, for someone who waits. @param {string} text */
export function tell(text) {
  process.stderr.write(`… ${text}\n`);
}

/** A Markdown table whose columns are also straight in a terminal. @param {string[]} head @param {string[][]} rows */
export function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  say([line(head), rule, ...rows.map(line)].join('\n'));
}

/** 1234567 → "1.23 M". @param {number} number */
export function short(number) {
  if (number >= 1e6) return `${(number / 1e6).toFixed(2)} M`;
  if (number >= 1e4) return `${(number / 1e3).toFixed(0)} k`;
  if (number >= 1e3) return `${(number / 1e3).toFixed(1)} k`;
  return number.toFixed(0);
}

/** @param {number} number */
export function times(number) {
  return Number.isFinite(number) ? `${number.toFixed(2)} ×` : '–';
}

/** @param {number} share @param {number} [digits] after the point */
export function percent(share, digits = 0) {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : '–';
}

/** Microseconds as milliseconds. @param {number} us */
export function milliseconds(us) {
  return (us / 1000).toFixed(us < 10_000 ? 2 : 1);
}

/** @param {number} bytes */
export function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
