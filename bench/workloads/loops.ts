/**
 * The loops that are measured. Each process runs one engine only, so every call in here has one target. They allocate
 * nothing themselves.
 */
import type { Session } from '../engines/engine.ts'
import type { Histogram } from '../histogram.ts'
import { DELETE, type Plan, READ, READ_INTO, SCAN, SET, UPDATE } from './plan.ts'

/** What the operations work with. */
export interface Material {
  readonly value: unknown
  readonly target: Buffer
}

/** Steps `from` up to `to` of a plan. @returns bytes read, so that no reading is optimised away */
export function runSteps(session: Session, plan: Plan, material: Material, from: number, to: number): number {
  if (plan.code === READ) return runReads(session, plan, from, to)
  if (plan.code === READ_INTO) return runReadsInto(session, plan, material.target, from, to)
  if (plan.code === SET) return runSets(session, plan, material.value, from, to)
  if (plan.code === SCAN && plan.limits.length === 0) return runScans(session, plan, from, to)
  return runMixed(session, plan, material, from, to)
}

function runReads(session: Session, plan: Plan, from: number, to: number): number {
  const { keys } = plan
  let sum = 0
  for (let i = from; i < to; i++) sum += session.read(keys[i])
  return sum
}

function runReadsInto(session: Session, plan: Plan, target: Buffer, from: number, to: number): number {
  const { keys } = plan
  let sum = 0
  for (let i = from; i < to; i++) sum += session.readInto!(keys[i], target)
  return sum
}

function runSets(session: Session, plan: Plan, value: unknown, from: number, to: number): number {
  const { keys } = plan
  for (let i = from; i < to; i++) session.set(keys[i], value)
  return 0
}

function runScans(session: Session, plan: Plan, from: number, to: number): number {
  const { keys, limit } = plan
  for (let i = from; i < to; i++) session.scan!(limit === Infinity ? undefined : keys[i], limit)
  return 0
}

function runMixed(session: Session, plan: Plan, material: Material, from: number, to: number): number {
  const { keys, codes, limits } = plan
  const { value, target } = material
  let sum = 0
  for (let i = from; i < to; i++) {
    const key = keys[i]
    switch (codes[i]) {
      case READ:
        sum += session.read(key)
        break
      case READ_INTO:
        sum += session.readInto!(key, target)
        break
      case SET:
        session.set(key, value)
        break
      case DELETE:
        session.delete!(key)
        break
      case UPDATE:
        session.update!(key, value)
        break
      default:
        session.scan!(key, limits[i])
    }
  }
  return sum
}

/**
 * One step after the other with a clock around each. What is deferred has its beginning noted in `begun`, and is over with
 * the flush.
 * @param deferred by operation code
 */
export function timeSteps(
  session: Session,
  plan: Plan,
  material: Material,
  from: number,
  to: number,
  deferred: Uint8Array,
  begun: Float64Array,
  histogram: Histogram,
): number {
  let sum = 0
  for (let i = from; i < to; i++) {
    const begin = performance.now()
    sum += runSteps(session, plan, material, i, i + 1)
    if (deferred[plan.code < 0 ? plan.codes[i] : plan.code] === 1) begun[i - from] = begin
    else {
      begun[i - from] = -1
      histogram.add((performance.now() - begin) * 1e6)
    }
  }
  return sum
}

/** Those that were deferred are over now. */
export function timeFlushed(begun: Float64Array, count: number, histogram: Histogram): void {
  const end = performance.now()
  for (let i = 0; i < count; i++) if (begun[i] >= 0) histogram.add((end - begun[i]) * 1e6)
}
