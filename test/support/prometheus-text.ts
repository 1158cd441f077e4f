/** The samples of Prometheus' text format, by name and labels as they stand there: `up{job="x"}`. */
export function samplesIn(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1).replace('Nan', 'NaN'))];
    }),
  );
}

/** The names of all samples, without their labels. */
export function namesIn(text: string): Set<string> {
  return new Set([...samplesIn(text).keys()].map((sample) => sample.replace(/\{.*/, '')));
}
