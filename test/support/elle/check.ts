/**
 * A checker for histories of transactions, after Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
 * Experimental Observations" (VLDB 2020): versions are ordered by what was read, the order gives dependencies, and
 * dependencies that go in a circle are anomalies. It proves violations; it cannot prove that there is none.
 */
import type { Anomaly, AnomalyName } from './anomaly.ts'
import { findCycles } from './cycles.ts'
import type { Edge } from './graph.ts'
import { internalAnomalies } from './internal.ts'
import { byKeys } from './key-history.ts'
import { forbidden, isStrict, type Level } from './levels.ts'
import { ListKey } from './lists.ts'
import { realtimeEdges } from './realtime.ts'
import { RegisterKey } from './registers.ts'
import { explain, whatOf } from './explain.ts'
import type { History } from './transaction.ts'

export interface Options {
  /** The order of time counts too: for stores whose transactions take effect between invocation and completion. */
  readonly realtime?: boolean
}

/** Everything in a history that a serial execution would not show. */
export function findAnomalies(history: History, { realtime = false }: Options = {}): Anomaly[] {
  const { keys, committed } = byKeys(history)
  const anomalies = internalAnomalies(history, committed)
  const edges: Edge[] = []
  for (const key of keys.values()) {
    const found = key.list ? new ListKey(history, committed, key) : new RegisterKey(history, committed, key, realtime)
    for (const anomaly of found.anomalies) anomalies.push(anomaly)
    for (const edge of found.edges) edges.push(edge)
  }
  if (realtime) for (const edge of realtimeEdges(history, committed)) edges.push(edge)
  for (const { name, edges: cycle } of findCycles(history.length, edges)) {
    anomalies.push({ name, transactions: cycle.map(({ from }) => from), what: whatOf(cycle), cycle })
  }
  return anomalies
}

export interface Verdict {
  readonly ok: boolean
  /** What the level forbids. */
  readonly violations: readonly Anomaly[]
  /** What was found and is permitted. */
  readonly permitted: readonly Anomaly[]
}

export function checkLevel(history: History, level: Level): Verdict {
  const anomalies = findAnomalies(history, { realtime: isStrict(level) })
  const violations = anomalies.filter(({ name }) => forbidden[level].has(name))
  const permitted = anomalies.filter(({ name }) => !forbidden[level].has(name))
  return { ok: violations.length === 0, violations, permitted }
}

/** Throws, with the first few violations explained, unless a history may come from a store of that level. */
export function assertLevel(history: History, level: Level): Verdict {
  const verdict = checkLevel(history, level)
  if (verdict.ok) return verdict
  const names = [...countNames(verdict.violations)].map(([name, count]) => `${count} x ${name}`)
  const shown = verdict.violations.slice(0, 5).map((anomaly) => explain(history, anomaly))
  throw new Error(`the history is not ${level}: ${names.join(', ')}\n${shown.join('\n')}`)
}

export function countNames(anomalies: readonly Anomaly[]): Map<AnomalyName, number> {
  const counts = new Map<AnomalyName, number>()
  for (const { name } of anomalies) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
