/** What a run of the benchmarks leaves behind: the JSON file, from which the tables and the charts are made. */

/** Where and with what it was measured. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  readonly v8: string
  /** Version of every engine that was measured, and of heddle. */
  readonly packages: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly date: string
}

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
}

/** One engine at one workload with so many workers. */
export interface Row {
  readonly engine: string
  readonly workload: string
  readonly workers: number
  /** Operations per second of each round, all workers together. Empty if the engine has no such operation. */
  readonly rounds: readonly number[]
  readonly median: number | null
  /** Distance of the quartiles over the median. */
  readonly spread: number | null
  /** Median over the rounds of heddle's rate over this engine's: above 1, heddle is ahead. Null for heddle itself. */
  readonly ratio: number | null
  /** Nanoseconds of single operations, over all rounds. */
  readonly latencyNs: Latency | null
  /** CPU seconds of the whole process for a million operations. */
  readonly cpuSecondsPerMillion: number | null
  /** More workers than cores. */
  readonly oversubscribed: boolean
  /** Why there is nothing, if there is nothing. */
  readonly missing?: string
  /** What it was measured with, where that is not what the options of the run say. */
  readonly keys?: string
  readonly valueBytes?: number
  readonly records?: number
}

/** A line of a chart. */
export interface Series {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Curve {
  readonly name: string
  readonly x: string
  readonly y: string
  readonly logarithmic: boolean
  readonly series: readonly Series[]
}

/** Resident bytes for each record once the data is loaded, less what the process took before. */
export interface Footprint {
  readonly engine: string
  readonly when: string
  readonly bytesPerRecord: number | null
  /** Of these, pages of mapped files. */
  readonly mappedBytesPerRecord?: number
  /** What the files take, resident or not. */
  readonly fileBytesPerRecord?: number
  readonly missing?: string
}

/** What one part of an operation takes by itself. */
export interface MicroMeasurement {
  readonly name: string
  readonly medianNs: number
  /** Of samples, each of which is the mean of so many operations. */
  readonly p99Ns: number
  readonly relativeMarginOfError: number
  readonly samples: number
  readonly operationsPerSample: number
}

/** A figure of the durable measurement. */
export interface Figure {
  readonly part: string
  readonly engine: string
  /** What it is, and its unit. */
  readonly measure: string
  readonly value: number | null
  /** Why there is none, if there is none. */
  readonly missing?: string
}

export interface Report {
  readonly machine: Machine
  /** The options of the run, as given and as filled in. */
  readonly options: Readonly<Record<string, unknown>>
  readonly rows: readonly Row[]
  readonly footprints: readonly Footprint[]
  readonly curves: readonly Curve[]
  readonly micro?: readonly MicroMeasurement[]
  readonly figures?: readonly Figure[]
}
