/**
 * The crash states find what they must: one right protocol and every way to break it by leaving out a step.
 *
 * A version is a data file and a manifest that names it. The checker knows nothing of the protocol: after a crash, the
 * newest manifest must name a data file that is whole, of a version that is not older than the last acknowledged one.
 */
import { describe, expect, it } from 'vitest'
import type { Disk } from '../../src/lsm/disk.ts'
import { fileName, parseFileName } from '../../src/lsm/file-name.ts'
import { forEachCrash } from '../support/crash-states.ts'
import { random } from '../support/random.ts'
import { type Files, SimulatedDisk } from '../support/simulated-disk.ts'

const STEPS = [
  'sync data',
  'rename data after sync',
  'sync directory for data',
  'sync manifest',
  'sync directory for manifest',
  'delete after manifest',
] as const
type Step = (typeof STEPS)[number]

const DATA_BYTES = 1200

function contentOf(version: number): Uint8Array {
  return Uint8Array.from({ length: DATA_BYTES }, (_, i) => version + 1 + (i % 7))
}

function write(disk: Disk, name: string, content: Uint8Array, sync: boolean): void {
  const file = disk.create(name)
  file.append(content, 0, content.length)
  if (sync) file.sync()
  file.close()
}

function publish(disk: Disk, version: number, without: Step | undefined): void {
  const has = (step: Step): boolean => step !== without
  const data = fileName(4 * version + 1, 'table')
  const dataTemp = fileName(4 * version + 2, 'temp')
  const manifest = fileName(4 * version + 3, 'manifest')
  const manifestTemp = fileName(4 * version + 4, 'temp')
  const removeOld = (): void => {
    if (version === 0) return
    disk.remove(fileName(4 * version - 3, 'table'))
    disk.remove(fileName(4 * version - 1, 'manifest'))
  }
  if (has('rename data after sync')) {
    write(disk, dataTemp, contentOf(version), has('sync data'))
    disk.rename(dataTemp, data)
  } else {
    write(disk, data, contentOf(version), false)
  }
  if (has('sync directory for data')) disk.syncDirectory()
  if (!has('delete after manifest')) removeOld()
  write(disk, manifestTemp, Uint8Array.of(version, 255 - version), has('sync manifest'))
  disk.rename(manifestTemp, manifest)
  if (has('sync directory for manifest')) disk.syncDirectory()
  if (has('delete after manifest')) removeOld()
}

/** The version that a crash has left, -1 for none, or what is wrong with it. */
function recover(files: Files): number | string {
  let newest = -1
  let name = ''
  for (const candidate of files.keys()) {
    const parsed = parseFileName(candidate)!
    if (parsed.kind !== 'manifest' || parsed.id <= newest) continue
    newest = parsed.id
    name = candidate
  }
  if (newest < 0) return -1
  const manifest = files.get(name)!
  if (manifest.length !== 2 || manifest[0]! + manifest[1]! !== 255) return 'the manifest is torn'
  const version = manifest[0]!
  const data = files.get(fileName(4 * version + 1, 'table'))
  if (data === undefined) return 'the data file is missing'
  return Buffer.compare(data, contentOf(version)) === 0 ? version : 'the data file is torn'
}

function violations(without: Step | undefined, each: number): { states: number; found: Set<string> } {
  const disk = new SimulatedDisk()
  const acknowledged: number[] = [0]
  for (let version = 0; version < 4; version++) {
    publish(disk, version, without)
    acknowledged.push(disk.journal.length)
  }
  const found = new Set<string>()
  const states = forEachCrash(disk.journal, random(7), each, (files, prefix) => {
    const least = acknowledged.findLastIndex((length) => length <= prefix) - 1
    const version = recover(files)
    if (typeof version === 'string') found.add(version)
    else if (version < least) found.add('an acknowledged version is lost')
  })
  return { states, found }
}

describe('a protocol of data and manifest', () => {
  it('that is right survives every crash', () => {
    const { states, found } = violations(undefined, 300)
    expect(found).toEqual(new Set())
    expect(states).toBeGreaterThan(10_000)
  })

  it.each(STEPS)('is found out without: %s', (step) => {
    const { found } = violations(step, 40)
    expect([...found].join()).not.toBe('')
  })
})
