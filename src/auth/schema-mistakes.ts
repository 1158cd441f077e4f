/** What a schema of zod finds wrong, and where: `tokens[0].name must be …`. */
export function mistakesIn(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string[] {
  return issues.map(({ path, message }) => `${pathText(path)} ${message}`.trim());
}

/** Mistakes as one text: of very many, such as a member that every token lacks, only the first. */
export function listOf(mistakes: readonly string[]): string {
  const more = mistakes.length - MISTAKES_TOLD_MAX;
  return [...mistakes.slice(0, MISTAKES_TOLD_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

const MISTAKES_TOLD_MAX = 20;

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
