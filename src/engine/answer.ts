/**
 * What a backend answers: memory at once, a networked store later. Both doors take the immediate
 * form without a promise, a microtask or a copy in between.
 */
export type Answer<T> = T | Promise<T>;

/** Applies `next` to an answer: now if it is here, otherwise when it comes. */
export function after<T, R>(answer: Answer<T>, next: (value: T) => Answer<R>): Answer<R> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}
