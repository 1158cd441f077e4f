import { Histogram, type Registry } from 'prom-client';
import { LATENCY_BOUNDS, type OperationMeter, type RequestMeter } from './request-meter.ts';

interface LatencyHistogramParts {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
  readonly meters: readonly RequestMeter[];
}

type Labels = Readonly<Record<string, string | number>>;

interface Sample {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

/** A Prometheus histogram of what the doors' meters noted, read when it is scraped. */
export class LatencyHistogram extends Histogram {
  readonly #parts: LatencyHistogramParts;

  constructor(parts: LatencyHistogramParts) {
    const { name, help, registry } = parts;
    super({ name, help, registers: [registry], labelNames: ['door', 'operation'] });
    this.#parts = parts;
  }

  /** What a registry calls, though prom-client's types do not say so. */
  async getForPromString() {
    const { name, help, meters } = this.#parts;
    const values = meters.flatMap((requests) =>
      [...requests.operations()].flatMap(([operation, meter]) =>
        samplesOf(name, { door: requests.door, operation }, meter),
      ),
    );
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

function samplesOf(name: string, labels: Labels, { buckets, sumSeconds }: OperationMeter): Sample[] {
  let count = 0;
  const cumulative = Array.from(buckets, (requests, i): Sample => {
    count += requests;
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: LATENCY_BOUNDS[i] ?? '+Inf' },
      value: count,
    };
  });
  return [
    ...cumulative,
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
