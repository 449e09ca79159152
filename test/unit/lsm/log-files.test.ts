import { describe, expect, it } from 'vitest'
import { HeddleError } from '../../../src/memory/error.ts'
import { fileName } from '../../../src/lsm/file-name.ts'
import { type LogHead, chainOf, readLogHead, replayChain } from '../../../src/lsm/log-chain.ts'
import { RECORD_HEADER_BYTES, TYPE_ABORTED, TYPE_PADDING, TYPE_PUT } from '../../../src/lsm/log-format.ts'
import { LogReader } from '../../../src/lsm/log-reader.ts'
import { LogWriter } from '../../../src/lsm/log-writer.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

const GENERATION = 77

/** Adds slots of one granule each, with these first bytes. */
function add(writer: LogWriter, ...values: number[]): void {
  const memory = new Uint8Array(values.length * 32)
  for (const [i, value] of values.entries()) {
    memory[i * 32 + RECORD_HEADER_BYTES] = value
    writer.addSlot(memory, i * 32, TYPE_PUT, 1, 1)
  }
}

function newLog(disk: SimulatedDisk, id: number, base: number, previous: number, ...values: number[]): LogWriter {
  const writer = LogWriter.prepare(disk, id, GENERATION, 512)
  writer.begin(base, previous)
  add(writer, ...values)
  writer.sync()
  return writer
}

function replay(disk: SimulatedDisk, heads: readonly LogHead[], from: number): { values: number[]; end: number } {
  const values: number[] = []
  const end = replayChain(disk, chainOf(heads, from), GENERATION, from, (_type, _lsn, bytes, at) => {
    values.push(bytes[at]!)
  })
  return { values, end }
}

function headsOf(disk: SimulatedDisk, ...ids: number[]): LogHead[] {
  return ids.map((id) => readLogHead(disk, id, GENERATION))
}

function corrupt(file: string): unknown {
  return expect.objectContaining({ code: 'HEDDLE_CORRUPT', file })
}

describe('a log file', () => {
  it('gives back what was written, in order, and its LSNs', () => {
    const disk = new SimulatedDisk()
    const writer = LogWriter.prepare(disk, 9, GENERATION, 4096)
    const base = 2 ** 40 + 5
    writer.begin(base, 4)
    const memory = new Uint8Array(8192)
    memory.fill(7, RECORD_HEADER_BYTES, 3000)
    writer.addSlot(memory, 0, TYPE_PUT, 100, 3000)
    writer.addSlot(memory, 3200, TYPE_PUT + 40, 1, 0)
    writer.addEmpty(TYPE_ABORTED, 3)
    writer.addEmpty(TYPE_PADDING, 2)
    writer.sync()
    expect(writer.synced).toBe(base + 106)
    writer.mark()
    writer.addSlot(memory, 4096, TYPE_PUT, 1, 16)
    writer.sync()
    writer.close()
    const reader = new LogReader(disk, 9, GENERATION)
    expect([reader.base, reader.previous]).toEqual([base, 4])
    const seen: unknown[] = []
    while (reader.next()) seen.push([reader.type, reader.lsn - base, reader.granules, reader.payloadLength])
    expect(seen).toEqual([
      [TYPE_PUT, 0, 100, 3000],
      [TYPE_PUT + 40, 100, 1, 0],
      [TYPE_ABORTED, 101, 3, 0],
      [TYPE_PADDING, 104, 2, 0],
      [TYPE_PUT, 106, 1, 16],
    ])
    expect(reader.end).toBe(base + 107)
    reader.checkTornEnd()
    reader.close()
  })

  it('is written in one call for slots that lie together', () => {
    const disk = new SimulatedDisk()
    const writer = newLog(disk, 1, 0, 0)
    const before = disk.calls.filter((call) => call === 'write').length
    add(writer, 1, 2, 3, 4)
    writer.sync()
    expect(disk.calls.filter((call) => call === 'write').length - before).toBe(1)
  })

  it('has its name only when its header is durable', () => {
    const disk = new SimulatedDisk()
    LogWriter.prepare(disk, 1, GENERATION, 512)
    const kinds = disk.journal.map((change) => change.kind)
    expect(kinds.indexOf('sync')).toBeLessThan(kinds.indexOf('rename'))
    expect(kinds.at(-1)).toBe('sync directory')
  })

  it('that was prepared holds nothing', () => {
    const disk = new SimulatedDisk()
    LogWriter.prepare(disk, 1, GENERATION, 512)
    expect(readLogHead(disk, 1, GENERATION)).toEqual({ id: 1, base: -1, previous: 0 })
  })

  it('is not written to after a failure', () => {
    const disk = new SimulatedDisk()
    const writer = newLog(disk, 1, 0, 0, 1)
    add(writer, 2)
    disk.fault = { at: disk.calls.length + 2, errno: 'EIO', once: true }
    expect(() => writer.sync()).toThrow(expect.objectContaining({ code: 'HEDDLE_IO', operation: 'sync' }))
    for (const call of [() => writer.sync(), () => writer.flush(), () => add(writer, 3), () => writer.addEmpty(3, 1)]) {
      expect(call).toThrow(HeddleError)
    }
    writer.close()
  })

  it('of another store, another id or another format is refused', () => {
    const disk = new SimulatedDisk()
    newLog(disk, 1, 0, 0, 1).close()
    expect(() => new LogReader(disk, 1, GENERATION + 1)).toThrow(corrupt('000001.log'))
    disk.rename('000001.log', '000002.log')
    expect(() => new LogReader(disk, 2, GENERATION)).toThrow(corrupt('000002.log'))
    expect(disk.openFiles).toBe(0)
  })

  it('is not believed to be longer than it is, whatever a header says', () => {
    const disk = new SimulatedDisk()
    newLog(disk, 1, 0, 0, 1).close()
    const file = disk.open('000001.log', 'write')
    // The record behind the valid ones announces 2 GiB.
    file.write(Uint8Array.of(1, 2, 3, 4, 255, 255, 255, 127, 16, 255, 255, 255, 1, 0, 0, 0), 0, 16, 64 + 48 + 32)
    const reader = new LogReader(disk, 1, GENERATION)
    expect(reader.next()).toBe(true)
    expect(reader.next()).toBe(false)
    expect(reader.bytes.length).toBeLessThan(2 ** 18)
    reader.checkTornEnd()
  })
})

describe('a chain of logs', () => {
  it('is replayed in order, each record once', () => {
    const disk = new SimulatedDisk()
    const first = newLog(disk, 1, 0, 0, 1, 2, 3)
    // Not synced, and written again to the next file, as after a failed sync.
    add(first, 4)
    first.flush()
    newLog(disk, 3, 3, 1, 4, 5)
    newLog(disk, 7, 5, 3, 6)
    expect(replay(disk, headsOf(disk, 7, 1, 3), 0)).toEqual({ values: [1, 2, 3, 4, 5, 6], end: 6 })
    expect(replay(disk, headsOf(disk, 1, 3, 7), 3)).toEqual({ values: [4, 5, 6], end: 6 })
    expect(replay(disk, headsOf(disk, 3, 7), 4)).toEqual({ values: [5, 6], end: 6 })
    expect(replay(disk, headsOf(disk, 7), 6)).toEqual({ values: [], end: 6 })
    expect(replay(disk, [], 6)).toEqual({ values: [], end: 6 })
  })

  it('passes by what nobody follows on', () => {
    const disk = new SimulatedDisk()
    newLog(disk, 1, 0, 0, 1, 2)
    newLog(disk, 2, 2, 1, 9)
    LogWriter.prepare(disk, 4, GENERATION, 512)
    newLog(disk, 3, 2, 1, 3)
    expect(replay(disk, headsOf(disk, 1, 2, 3, 4), 0).values).toEqual([1, 2, 3])
  })

  it('is made durable when it is read', () => {
    const disk = new SimulatedDisk()
    const writer = newLog(disk, 1, 0, 0, 1)
    add(writer, 2)
    writer.flush()
    replay(disk, headsOf(disk, 1), 0)
    expect(disk.journal.at(-1)?.kind).toBe('sync')
  })

  it('that ends before the next one begins is corrupt', () => {
    const disk = new SimulatedDisk()
    newLog(disk, 1, 0, 0, 1, 2)
    newLog(disk, 2, 3, 1, 4)
    expect(() => replay(disk, headsOf(disk, 1, 2), 0)).toThrow(corrupt('000001.log'))
    expect(disk.openFiles).toBe(3 - 1)
  })

  it('that lacks a log, or its beginning, is corrupt', () => {
    const disk = new SimulatedDisk()
    newLog(disk, 1, 0, 0, 1, 2)
    newLog(disk, 2, 2, 1, 3)
    newLog(disk, 3, 3, 2, 4)
    expect(() => chainOf(headsOf(disk, 1, 3), 0)).toThrow(corrupt('000002.log'))
    newLog(disk, 5, 9, 0, 4)
    expect(() => chainOf(headsOf(disk, 1, 2, 5), 3)).toThrow(corrupt('000005.log'))
  })

  it.each<[string, LogHead]>([
    ['itself', { id: 5, base: 9, previous: 5 }],
    ['a later one', { id: 5, base: 9, previous: 6 }],
    ['one that begins later', { id: 5, base: 9, previous: 4 }],
    ['one that never began', { id: 5, base: 9, previous: 3 }],
  ])('never follows on %s', (_, head) => {
    const others: LogHead[] = [
      { id: 3, base: -1, previous: 0 },
      { id: 4, base: 10, previous: 0 },
    ]
    const later: LogHead[] = head.previous === 6 ? [{ id: 6, base: -1, previous: 0 }] : []
    expect(() => chainOf([...others.filter(({ id }) => id === head.previous), ...later, head], 0)).toThrow(HeddleError)
  })

  it('has a torn end, or damage that a MARK tells of', () => {
    const damage = (marked: boolean): SimulatedDisk => {
      const disk = new SimulatedDisk()
      const writer = newLog(disk, 1, 0, 0, 1, 2, 3)
      if (marked) writer.mark()
      add(writer, 4)
      writer.sync()
      writer.close()
      // In the second record.
      disk.open(fileName(1, 'log'), 'write').write(Uint8Array.of(9), 0, 1, 64 + 48 + 32 + RECORD_HEADER_BYTES)
      return disk
    }
    expect(replay(damage(false), headsOf(damage(false), 1), 0)).toEqual({ values: [1], end: 1 })
    expect(() => replay(damage(true), headsOf(damage(true), 1), 0)).toThrow(
      expect.objectContaining({ code: 'HEDDLE_CORRUPT', file: '000001.log', offset: 64 + 48 + 32 }),
    )
  })

  it('whose last log began durably, and has lost its beginning, is corrupt', () => {
    const disk = new SimulatedDisk()
    const writer = newLog(disk, 1, 0, 0, 1)
    writer.mark()
    writer.sync()
    disk.open(fileName(1, 'log'), 'write').write(Uint8Array.of(9), 0, 1, 64 + 20)
    expect(() => readLogHead(disk, 1, GENERATION)).toThrow(corrupt('000001.log'))
  })
})
