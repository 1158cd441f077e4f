/**
 * The time in milliseconds since the Unix epoch, read once per turn of the event loop: a chunk of
 * commands asks for it dozens of times, and all that happens in one turn happens at one time.
 */
export function tickClock(): () => number {
  let time = 0;
  const forget = () => {
    time = 0;
  };
  return () => {
    if (time === 0) {
      time = Date.now();
      setImmediate(forget);
    }
    return time;
  };
}
