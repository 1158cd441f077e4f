/** Writes what is wrong with a command line, and gives the exit status. */
export function tellMistakes(mistakes: readonly string[], err: { write(text: string): unknown }): number {
  err.write(mistakes.map((mistake) => `ironcached: ${mistake}\n`).join(''));
  return 2;
}
