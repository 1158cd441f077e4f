/** A text without the mark with which some editors begin a file; it says nothing. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
