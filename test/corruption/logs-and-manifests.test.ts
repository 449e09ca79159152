/**
 * Every bit, every truncation, and blocks that were swapped or are stale, of the files of a small store: it opens with all
 * that was there, or with a shorter prefix where the end of the last log is damaged, or says HEDDLE_CORRUPT with file and
 * offset. It never answers wrongly.
 */
import { describe, expect, it } from 'vitest'
import { FileError } from '../../src/lsm/file-error.ts'
import { LittleStore } from '../support/little-store.ts'
import { type Files, SimulatedDisk } from '../support/simulated-disk.ts'

interface Sample {
  readonly files: Files
  readonly last: number
  /** What was durable before the last group of the last log. */
  readonly before: number
  readonly manifest: string
  readonly logs: readonly string[]
}

/** A table, a log that is followed by another, and that other one, with several groups each. */
function sample(closed: boolean): Sample {
  const disk = new SimulatedDisk()
  const store = new LittleStore(disk)
  const group = (count: number): void => {
    for (let i = 0; i < count; i++) store.add()
    expect(store.commit()).toBe(true)
  }
  group(3)
  store.flush()
  group(2)
  store.addAborted()
  group(3)
  store.rotate()
  group(2)
  group(1)
  const before = store.acknowledged
  group(2)
  const { last } = store
  if (closed) store.close()
  const files = disk.files()
  const names = [...files.keys()].sort()
  return {
    files,
    last,
    before,
    manifest: names.find((name) => name.endsWith('.manifest'))!,
    logs: names.filter((name) => name.endsWith('.log')),
  }
}

const { files, last, before, manifest, logs } = sample(true)

/** Opens it: what is there, or where it says that it is corrupt. */
function open(changed: ReadonlyMap<string, Uint8Array>): number | FileError {
  const disk = SimulatedDisk.with(new Map([...changed].map(([name, bytes]) => [name, bytes.slice()])))
  try {
    const store = new LittleStore(disk)
    store.close()
    return store.last
  } catch (error) {
    if (error instanceof FileError && error.code === 'HEDDLE_CORRUPT') return error
    throw error
  }
}

function openWith(name: string, bytes: Uint8Array, among = files): number | FileError {
  return open(new Map(among).set(name, bytes))
}

interface Tally {
  whole: number
  cut: number
  corrupt: number
}

/** Takes note of an answer, and refuses a wrong one. */
function judge(tally: Tally, answer: number | FileError, least: number, name: string, where: string): void {
  if (answer instanceof FileError) {
    tally.corrupt++
    if (answer.file !== name) expect.fail(`${where} of ${name}: the error names ${answer.file}`)
    if (answer.offset < 0 || answer.offset > files.get(name)!.length) expect.fail(`${where}: offset ${answer.offset}`)
  } else if (answer === last) tally.whole++
  else if (answer >= least && answer < last) tally.cut++
  else expect.fail(`${where} of ${name}: ${answer} is there, ${last} was durable`)
}

describe('damage to a small store', () => {
  it('is a store with two logs that opens as it is', () => {
    expect(logs).toHaveLength(2)
    expect(open(files)).toBe(last)
  })

  it.each([manifest, ...logs])('every bit of %s', (name) => {
    const tally: Tally = { whole: 0, cut: 0, corrupt: 0 }
    const bytes = files.get(name)!
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >>> 3]! ^= 1 << (bit & 7)
      judge(tally, openWith(name, changed), last, name, `bit ${bit}`)
    }
    console.log(`${name}: ${bytes.length * 8} bits, ${JSON.stringify(tally)}`)
    expect(tally.corrupt).toBeGreaterThan(0)
    if (name === manifest) expect(tally.whole + tally.cut).toBe(0)
  })

  it('every bit of the last log, if the process was killed: then the last group may be cut', () => {
    const killed = sample(false)
    const name = killed.logs.at(-1)!
    const bytes = killed.files.get(name)!
    const tally: Tally = { whole: 0, cut: 0, corrupt: 0 }
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >>> 3]! ^= 1 << (bit & 7)
      judge(tally, openWith(name, changed, killed.files), killed.before, name, `bit ${bit}`)
    }
    console.log(`${name} of a killed process: ${bytes.length * 8} bits, ${JSON.stringify(tally)}`)
    expect(tally.cut).toBeGreaterThan(0)
  })

  it.each([manifest, ...logs])('every truncation of %s', (name) => {
    const tally: Tally = { whole: 0, cut: 0, corrupt: 0 }
    const bytes = files.get(name)!
    for (let length = 0; length < bytes.length; length++) {
      judge(tally, openWith(name, bytes.slice(0, length)), last, name, `${length} bytes`)
    }
    console.log(`${name}: ${bytes.length} truncations, ${JSON.stringify(tally)}`)
    expect(tally.corrupt).toBe(bytes.length)
  })

  it.each([manifest, ...logs])('a removal of %s', (name) => {
    const without = new Map(files)
    without.delete(name)
    const answer = open(without)
    // Nothing says that there was another log behind the last one, or that a manifest was: then tables are without one.
    if (name === logs.at(-1)) expect(answer).toBeLessThan(last)
    else expect(answer).toBeInstanceOf(FileError)
  })

  it.each(logs)('sectors of %s that are swapped, stale, or of the other log', (name) => {
    const bytes = files.get(name)!
    const other = files.get(logs.find((log) => log !== name)!)!
    const tally: Tally = { whole: 0, cut: 0, corrupt: 0 }
    const sectors = Math.floor(bytes.length / 512)
    // A sector that held the last group and the MARK behind it takes both away.
    const least = name === logs.at(-1) ? before : last
    for (let to = 0; to < sectors; to++) {
      for (const source of [bytes, other, new Uint8Array(bytes.length)]) {
        for (let from = 0; from < Math.floor(source.length / 512); from++) {
          if (source === bytes && from === to) continue
          const changed = bytes.slice()
          changed.set(source.subarray(from * 512, from * 512 + 512), to * 512)
          judge(tally, openWith(name, changed), least, name, `sector ${to}`)
        }
      }
    }
    expect(tally.corrupt).toBeGreaterThan(0)
  })

  it('one log under the name of another, or of another store', () => {
    const [first, second] = logs.map((name) => files.get(name)!)
    expect(open(new Map(files).set(logs[0]!, second!).set(logs[1]!, first!))).toBeInstanceOf(FileError)
    const renamed = new Map(files)
    renamed.delete(manifest)
    renamed.set('000099.manifest', files.get(manifest)!)
    expect(open(renamed)).toBeInstanceOf(FileError)
  })
})
