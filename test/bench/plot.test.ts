import { describe, expect, test } from 'vitest';
// @ts-expect-error The benchmark is no TypeScript.
import { plot } from './plot.mjs';

interface Bar {
  readonly label: string;
  readonly ratio: number;
}

function drawn(better: 'more' | 'less', ...bars: Bar[]): string {
  return plot([{ title: 'requests', better, bars }]);
}

/** The bars, as their class, left end and width. */
function barsIn(svg: string) {
  const bars = svg.matchAll(/<rect class="(better|worse)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g);
  return [...bars].map(([, kind, x, width]) => ({ kind, left: Number(x), width: Number(width) }));
}

describe('the plot', () => {
  test('has half as much as a bar as long as twice as much, on the other side of 1', () => {
    const [half, twice] = barsIn(drawn('more', { label: 'a', ratio: 0.5 }, { label: 'b', ratio: 2 }));
    expect(half?.kind).toBe('worse');
    expect(twice?.kind).toBe('better');
    expect(half?.width).toBeCloseTo(twice?.width ?? 0, 0);
    expect((half?.left ?? 0) + (half?.width ?? 0)).toBeCloseTo(twice?.left ?? 0, 0);
  });

  test('knows where less is better', () => {
    const kinds = barsIn(drawn('less', { label: 'a', ratio: 0.5 }, { label: 'b', ratio: 2 }));
    expect(kinds.map(({ kind }) => kind)).toEqual(['better', 'worse']);
  });

  test('keeps bars of any length within itself, and says their ratio', () => {
    const svg = drawn('more', { label: 'a', ratio: 0.001 }, { label: 'b', ratio: 1000 });
    const width = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
    for (const bar of barsIn(svg)) {
      expect(bar.left).toBeGreaterThan(0);
      expect(bar.left + bar.width).toBeLessThan(width);
    }
    expect(svg).toContain('>1000.00<');
  });

  test('leaves out what nothing was measured of, and spells what XML would take for its own', () => {
    const svg = plot([
      { title: 'nothing', better: 'more', bars: [] },
      { title: 'a < b & c', better: 'more', bars: [{ label: '1 < 2', ratio: 1 }] },
    ]);
    expect(svg).not.toContain('nothing');
    expect(svg).toContain('a &lt; b &amp; c');
    expect(svg).toContain('1 &lt; 2');
  });
});
