import { describe, expect, it } from 'vitest'
import { type Manifest, type TableEntry, decodeManifest, encodeManifest } from '../../../src/lsm/manifest.ts'
import {
  type Survey,
  planRecovery,
  readManifest,
  removeOrphans,
  surveyDirectory,
  writeManifest,
} from '../../../src/lsm/recovery.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

const table = (id: number, size = 100): TableEntry => ({
  id,
  level: 2,
  size,
  entries: 2 ** 40,
  deletions: 3,
  checksum: 0xfedcba98,
  smallestVersion: 5,
  largestVersion: Number.MAX_SAFE_INTEGER,
  smallestKey: new Uint8Array(0),
  largestKey: Uint8Array.from({ length: 1024 }, (_, i) => i),
})

const manifest = (over: Partial<Manifest> = {}): Manifest => ({
  id: 10,
  generation: 0xdeadbeef,
  nextFileId: 11,
  flushedLsn: 2 ** 45,
  clock: 12,
  logs: [7, 9],
  firstLog: 6,
  tables: [],
  settings: Uint8Array.of(1, 2, 3),
  ...over,
})

const survey = (over: Partial<Survey> = {}, ...names: [string, number][]): Survey => ({
  sizes: new Map([['000010.manifest', 50], ['000007.log', 1], ['000009.log', 1], ...names]),
  manifest: manifest({ flushedLsn: 5 }),
  logs: [
    { id: 7, base: 4, previous: 2 },
    { id: 9, base: 8, previous: 7 },
  ],
  ...over,
})

function corrupt(file: string): unknown {
  return expect.objectContaining({ code: 'HEDDLE_CORRUPT', file })
}

describe('a manifest', () => {
  it.each([
    manifest(),
    manifest({ logs: [], settings: new Uint8Array(0) }),
    manifest({ tables: [table(3), table(4)] }),
    manifest({ firstLog: 7 }),
    manifest({ logs: [], firstLog: 10 }),
  ])('is read back as it was written', (written) => {
    expect(decodeManifest(encodeManifest(written), 10)).toEqual(written)
  })

  it('is written under another name first, and synced', () => {
    const disk = new SimulatedDisk()
    writeManifest(disk, manifest())
    expect(readManifest(disk, 10)).toEqual(manifest())
    expect(disk.journal.map(({ kind }) => kind)).toEqual(['create', 'write', 'sync', 'rename', 'sync directory'])
  })

  it('with a right checksum and wrong contents is corrupt all the same', () => {
    for (const wrong of [
      manifest({ logs: [0] }),
      manifest({ nextFileId: 0 }),
      manifest({ tables: [{ ...table(3), id: 0 }] }),
      manifest({ clock: 2 ** 60 }),
      manifest({ firstLog: 8 }),
      manifest({ logs: [], firstLog: 11 }),
    ]) {
      expect(() => decodeManifest(encodeManifest(wrong), 10)).toThrow(corrupt('000010.manifest'))
    }
  })

  it('does not hold keys that are too long', () => {
    const long = manifest({ tables: [{ ...table(3), largestKey: new Uint8Array(2 ** 16) }] })
    expect(() => encodeManifest(long)).toThrow(expect.objectContaining({ code: 'HEDDLE_INTERNAL' }))
  })
})

describe('a plan', () => {
  it('for an empty directory makes a new store, and clears away what was begun', () => {
    const empty: Survey = { sizes: new Map([['000004.temp', 5]]), manifest: undefined, logs: [] }
    expect(planRecovery(empty)).toEqual({ manifest: undefined, chain: [], orphans: ['000004.temp'], nextFileId: 5 })
  })

  it('without a manifest, but with files that need one, is refused', () => {
    const lost: Survey = { sizes: new Map([['000004.table', 5]]), manifest: undefined, logs: [] }
    expect(() => planRecovery(lost)).toThrow(corrupt('000004.table'))
  })

  it('names the logs to replay and the orphans', () => {
    const plan = planRecovery(
      survey({}, ['000003.manifest', 9], ['000005.table', 9], ['000006.log', 9], ['000012.log', 9], ['000020.temp', 9]),
    )
    expect(plan.chain.map(({ id }) => id)).toEqual([7, 9])
    expect(plan.orphans).toEqual(['000003.manifest', '000005.table', '000006.log', '000012.log', '000020.temp'])
    expect(plan.nextFileId).toBe(21)
  })

  it('keeps a log that the manifest names although nothing is in it', () => {
    const plan = planRecovery(survey({ manifest: manifest({ flushedLsn: 8 }) }))
    expect(plan.chain.map(({ id }) => id)).toEqual([9])
    expect(plan.orphans).toEqual([])
  })

  it('is refused if a table is missing or has another length, or a log is missing', () => {
    const withTable = manifest({ flushedLsn: 5, tables: [table(3)] })
    expect(() => planRecovery(survey({ manifest: withTable }))).toThrow(corrupt('000003.table'))
    expect(() => planRecovery(survey({ manifest: withTable }, ['000003.table', 99]))).toThrow(corrupt('000003.table'))
    expect(planRecovery(survey({ manifest: withTable }, ['000003.table', 100])).orphans).toEqual([])
    const lost = manifest({ flushedLsn: 5, logs: [7, 9, 11] })
    expect(() => planRecovery(survey({ manifest: lost }))).toThrow(corrupt('000011.log'))
  })
})

describe('a survey', () => {
  it('makes the directory durable first, and leaves foreign files alone', () => {
    const disk = SimulatedDisk.with(
      new Map([
        ['notes.txt', new Uint8Array(3)],
        ['lock', new Uint8Array(0)],
      ]),
    )
    const plan = planRecovery(surveyDirectory(disk))
    expect(disk.calls[0]).toBe('sync directory')
    expect(plan.orphans).toEqual([])
  })

  it('takes the newest manifest, and does not read older ones', () => {
    const disk = new SimulatedDisk()
    writeManifest(disk, manifest({ id: 10, logs: [] }))
    disk.open('000010.manifest', 'write').truncate(9)
    writeManifest(disk, manifest({ id: 12, logs: [] }))
    const found = surveyDirectory(disk)
    expect(found.manifest?.id).toBe(12)
    const { orphans } = planRecovery(found)
    expect(orphans).toEqual(['000010.manifest'])
    removeOrphans(disk, orphans)
    removeOrphans(disk, orphans)
    expect(disk.list()).toEqual(['000012.manifest'])
  })

  it('does not pass by a newest manifest that is damaged', () => {
    const disk = new SimulatedDisk()
    writeManifest(disk, manifest({ id: 10, logs: [] }))
    writeManifest(disk, manifest({ id: 12, logs: [] }))
    disk.open('000012.manifest', 'write').write(Uint8Array.of(1), 0, 1, 40)
    expect(() => surveyDirectory(disk)).toThrow(corrupt('000012.manifest'))
    expect(disk.openFiles).toBe(1)
  })
})
