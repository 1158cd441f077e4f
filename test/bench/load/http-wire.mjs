// HTTP/1.1 with keep-alive, by templates; http.c says what %k, %v, %t, %p and %n are.
import { itemValue, keyOf } from './items.mjs';

const HEAD_END = '\r\n\r\n';

/**
 * @param {string} template @param {number} number of the key @param {number} bytes of the value
 * @param {{ token: string, project: string }} [account]
 */
export function fromTemplate(template, number, bytes, account) {
  return template
    .replaceAll('%k', keyOf(number))
    .replaceAll('%v', itemValue(number, bytes, true).toString('latin1'))
    .replaceAll('%t', account?.token ?? '')
    .replaceAll('%p', account?.project ?? '');
}

/**
 * How long the answer is that begins there, with its head; 0: more of it is needed. Throws if it is wrong.
 * @param {Buffer} input @param {number} at @param {string} expected its body, in which %n may stand
 */
export function answerLength(input, at, expected) {
  const headEnd = input.indexOf(HEAD_END, at, 'latin1');
  if (headEnd < 0) return 0;
  const head = input.latin1Slice(at, headEnd);
  const bodyAt = headEnd + HEAD_END.length;
  const end = bodyAt + Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
  if (input.length < end) return 0;
  const body = input.latin1Slice(bodyAt, end);
  if (!head.startsWith('HTTP/1.1 200 ') || !isBody(body, expected)) throw new Error(`${head} ${body}`);
  return end - at;
}

/** @param {string} body @param {string} expected */
function isBody(body, expected) {
  let left = body;
  for (const [i, literal] of expected.split('%n').entries()) {
    if (i > 0) left = left.replace(/^\d+/, '');
    if (!left.startsWith(literal)) return false;
    left = left.slice(literal.length);
  }
  return left === '';
}
