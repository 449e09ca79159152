/**
 * Histories of one key of a store, as flat records of numbers that can be read back from shared memory, and their
 * check. Values are numbers, 0 stands for absent. An operation whose `returned` is Infinity never returned (its thread
 * was killed): its result is not looked at.
 */
import { checkLinearizable, type HistoryOperation, type Verdict } from '../../src/explore/linearizability.ts'
import { orderedMap } from '../../src/explore/models.ts'

export type OperationName = 'get' | 'has' | 'set' | 'delete' | 'setIfAbsent' | 'compareAndSet' | 'update'

export interface Operation {
  readonly thread: number
  readonly name: OperationName
  /** The value written: by set, setIfAbsent, compareAndSet and update (0 deletes). */
  readonly value: number
  /** What compareAndSet expects. */
  readonly expected: number
  /** What it gave: the value of get and setIfAbsent, 0 or 1 of has, delete and compareAndSet, the old value that update was shown. */
  readonly result: number
  readonly called: number
  readonly returned: number
}

const key = 'key'
const model = orderedMap()

export function checkHistory(history: readonly Operation[], initial = 0, budget?: number): Verdict {
  return checkLinearizable(history.map(translate), model, initial === 0 ? [] : [key, initial], budget)
}

function translate(operation: Operation): HistoryOperation {
  const { thread, name, called, returned } = operation
  const value = orAbsent(operation.value)
  const result = orAbsent(operation.result)
  const truth = operation.result !== 0
  const moments = { thread, called, returned }
  switch (name) {
    case 'get':
      return { ...moments, name, args: [key], result }
    case 'has':
    case 'delete':
      return { ...moments, name, args: [key], result: truth }
    case 'set':
      return { ...moments, name, args: [key, value], result: undefined }
    case 'setIfAbsent':
      return { ...moments, name, args: [key, value], result }
    case 'compareAndSet':
      return { ...moments, name, args: [key, orAbsent(operation.expected), value], result: truth }
    case 'update':
      // What an update that returned did is what it was shown last; one that was killed would have been shown something.
      return returned === Infinity
        ? { ...moments, name: 'set', args: [key, value], result: undefined }
        : { ...moments, name: 'compareAndSet', args: [key, result, value], result: true }
  }
}

function orAbsent(value: number): number | undefined {
  return value === 0 ? undefined : value
}
