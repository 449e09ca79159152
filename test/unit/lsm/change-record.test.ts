import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BATCH_HEADER_BYTES,
  CHANGE_ASCII,
  CHANGE_DELETE,
  CHANGE_HEADER_BYTES,
  OPERATION_HEADER_BYTES,
  readChanges,
  writeBatchHeader,
  writeChangeHeader,
  writeOperationHeader,
} from '../../../src/lsm/change-record.ts'
import { TYPE_BATCH, TYPE_DELETE, TYPE_PUT } from '../../../src/lsm/log-format.ts'

const TYPE_UNKNOWN = 19

interface Change {
  readonly key: readonly number[]
  readonly value: readonly number[] | null
  readonly ascii: boolean
}

const file = { name: '000001.log', offset: 64 }
const octets = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 })
const change = fc
  .record({ key: octets, value: fc.option(octets), ascii: fc.boolean() })
  .map((each): Change => ({ ...each, ascii: each.ascii && each.value !== null }))

function flagsOf({ value, ascii }: Change): number {
  return (ascii ? CHANGE_ASCII : 0) | (value === null ? CHANGE_DELETE : 0)
}

function encodeOne(one: Change): Uint8Array {
  const bytes = new Uint8Array(CHANGE_HEADER_BYTES + one.key.length + (one.value?.length ?? 0))
  writeChangeHeader(bytes, 0, one.key.length, flagsOf(one))
  bytes.set([...one.key, ...(one.value ?? [])], CHANGE_HEADER_BYTES)
  return bytes
}

function encodeBatch(changes: readonly Change[]): Uint8Array {
  const bytes = new Uint8Array(
    changes.reduce((sum, { key, value }) => sum + OPERATION_HEADER_BYTES + key.length + (value?.length ?? 0), 4),
  )
  writeBatchHeader(bytes, 0, changes.length)
  let at = BATCH_HEADER_BYTES
  for (const one of changes) {
    writeOperationHeader(bytes, at, one.key.length, flagsOf(one), one.value?.length ?? 0)
    bytes.set([...one.key, ...(one.value ?? [])], at + OPERATION_HEADER_BYTES)
    at += OPERATION_HEADER_BYTES + one.key.length + (one.value?.length ?? 0)
  }
  return bytes
}

function decode(type: number, bytes: Uint8Array): Change[] {
  const found: Change[] = []
  const count = readChanges(
    type,
    bytes,
    0,
    bytes.length,
    {
      put: (from, keyAt, keyBytes, valueBytes, ascii) => {
        const end = keyAt + keyBytes
        found.push({ key: [...from.slice(keyAt, end)], value: [...from.slice(end, end + valueBytes)], ascii })
      },
      remove: (from, keyAt, keyBytes) =>
        found.push({ key: [...from.slice(keyAt, keyAt + keyBytes)], value: null, ascii: false }),
    },
    file,
  )
  expect(count).toBe(found.length)
  return found
}

describe('records of the log that change the tree', () => {
  it('read as they were written', () => {
    fc.assert(
      fc.property(change, (one) => {
        expect(decode(one.value === null ? TYPE_DELETE : TYPE_PUT, encodeOne(one))).toEqual([one])
      }),
    )
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        expect(decode(TYPE_BATCH, encodeBatch(changes))).toEqual(changes)
      }),
    )
  })

  it('of any other length are corrupt, and nothing of them is visited', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(), (changes, cut) => {
        const whole = encodeBatch(changes)
        const shorter = whole.subarray(0, cut % whole.length)
        expect(() => decode(TYPE_BATCH, shorter)).toThrow(expect.objectContaining({ code: 'HEDDLE_CORRUPT' }))
        const longer = new Uint8Array(whole.length + 1)
        longer.set(whole)
        expect(() => decode(TYPE_BATCH, longer)).toThrow('000001.log')
      }),
    )
    const remove = encodeOne({ key: [1, 2, 3], value: null, ascii: false })
    expect(() => decode(TYPE_DELETE, remove.subarray(0, 6))).toThrow('another length')
    expect(() => decode(TYPE_DELETE, new Uint8Array([...remove, 0]))).toThrow('another length')
    expect(() => decode(TYPE_PUT, remove.subarray(0, 3))).toThrow('too short')
  })

  it('of an unknown type are corrupt', () => {
    expect(() => decode(TYPE_UNKNOWN, encodeOne({ key: [1], value: [2], ascii: false }))).toThrow('unknown type 19')
  })
})
