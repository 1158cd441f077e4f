/** What is wrong with a line of a dump. The message goes on after "Line 17 ". */
export class LineMistake extends Error {
  override readonly name = 'LineMistake';
}
