/** What a history may show that it should not, by the names of Adya's thesis (1999) and of the Elle paper. */
import type { Edge } from './graph.ts'

/** Anomalies that are no cycles. */
export type PlainAnomaly =
  /** A committed transaction read what an aborted one wrote. */
  | 'G1a'
  /** A committed transaction read a version that its writer overwrote itself. */
  | 'G1b'
  /** A transaction does not agree with its own reads and writes. */
  | 'internal'
  /** Two lists read under one key, neither of which is a prefix of the other. */
  | 'incompatible orders'
  /** An element is in a list twice. */
  | 'duplicate'
  /** What was read was never written. */
  | 'unwritten read'
  /** Several transactions read one version of a key, and all of them replaced it. */
  | 'lost update'
  /** The versions of a register follow each other in a circle. */
  | 'cyclic versions'

/** Cycles by the dependencies they are made of. */
export type CycleName =
  /** Writes only. */
  | 'G0'
  /** Writes and reads of what was written. */
  | 'G1c'
  /** Just one anti-dependency. */
  | 'G-single'
  /** Several anti-dependencies, no two of them in a row. */
  | 'G-nonadjacent'
  /** Several anti-dependencies, two of them in a row; write skew, for example. */
  | 'G2'

/** Cycles that need the order of time to be closed have a name of their own. */
export type CycleAnomaly = CycleName | `${CycleName}-realtime`

export type AnomalyName = PlainAnomaly | CycleAnomaly

export interface Anomaly {
  readonly name: AnomalyName
  /** The transactions it is about. */
  readonly transactions: readonly number[]
  readonly key?: string
  /** One line that says what was seen. */
  readonly what: string
  /** The edges of a cycle, in order. */
  readonly cycle?: readonly Edge[]
}
