/**
 * Which anomalies an isolation level forbids (Adya, "Weak Consistency", 1999, tables 3-1 and 4-1; Cerone and Gotsman,
 * "Analysing Snapshot Isolation", PODC 2016, for the cycles of snapshot isolation). The strict and strong levels also
 * respect the order of time: what has completed is seen by whatever begins afterwards.
 */
import type { AnomalyName, CycleName } from './anomaly.ts'

export type Level = 'read committed' | 'snapshot' | 'strong snapshot' | 'serializable' | 'strict serializable'

/** These contradict every level: no order of versions can explain them, or nobody wrote them. */
const always: readonly AnomalyName[] = [
  ...(['G0', 'G1a', 'G1b', 'G1c'] as const),
  ...(['unwritten read', 'duplicate', 'incompatible orders', 'cyclic versions'] as const),
]

/** Reads from one snapshot and first committer wins; of cycles, only those with two anti-dependencies in a row remain. */
const ofSnapshots: readonly AnomalyName[] = ['internal', 'lost update', 'G-single', 'G-nonadjacent']

const realtime = (...names: CycleName[]): AnomalyName[] => names.map((name): AnomalyName => `${name}-realtime`)

const snapshot: readonly AnomalyName[] = [...always, ...ofSnapshots]

export const forbidden: Readonly<Record<Level, ReadonlySet<AnomalyName>>> = {
  'read committed': new Set(always),
  snapshot: new Set(snapshot),
  'strong snapshot': new Set([...snapshot, ...realtime('G0', 'G1c', 'G-single', 'G-nonadjacent')]),
  serializable: new Set([...snapshot, 'G2']),
  'strict serializable': new Set([...snapshot, 'G2', ...realtime('G0', 'G1c', 'G-single', 'G-nonadjacent', 'G2')]),
}

/** Whether a level respects the order of time. */
export function isStrict(level: Level): boolean {
  return level === 'strong snapshot' || level === 'strict serializable'
}
