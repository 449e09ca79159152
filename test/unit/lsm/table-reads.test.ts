/** A disk that refuses tables keeps no version of them held: what was held would be held until the thread leaves. */
import { describe, expect, it } from 'vitest'
import type { DiskFile } from '../../../src/lsm/disk.ts'
import { ioError } from '../../../src/lsm/file-error.ts'
import type { Tuning } from '../../../src/store/options.ts'
import type { Snapshot } from '../../../src/store/snapshot.ts'
import type { Store } from '../../../src/store/store.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { attachPartial, compact, evictAll, flush, openPartial, type PartialKit } from '../../support/partial-store.ts'
import { SimulatedDisk } from '../../support/simulated-disk.ts'

/** A disk whose files do not close, as told. */
class StickyDisk extends SimulatedDisk {
  sticks = false

  override open(name: string, access: 'read' | 'write'): DiskFile {
    const file = super.open(name, access)
    const close = file.close.bind(file)
    file.close = () => {
      if (this.sticks) throw ioError('close', name, 0, 'EIO')
      close()
    }
    return file
  }
}

function opened(disk: SimulatedDisk, tuning: Tuning = {}): PartialKit {
  return openPartial<string, string>({ memory: MIB, maxThreads: 4, tuning: { ...tiny, pageIds: 64, ...tuning } }, disk)
}

/** Makes a version whose newest table nobody has opened. */
function turn(kit: PartialKit, value: string): void {
  kit.store.set('a', value)
  flush(kit as PartialKit<unknown, unknown>)
  evictAll(kit as PartialKit<unknown, unknown>)
}

const walks: Record<string, (store: Store<string, string>) => unknown> = {
  forward: (store) => [...store.entries()],
  backward: (store) => [...store.entries({ reverse: true })],
}

describe('a walk for which a table cannot be opened', () => {
  it.each(Object.entries(walks))('holds nothing, %s', (_, walk) => {
    const disk = new SimulatedDisk()
    const kit = opened(disk)
    for (let round = 0; round < 8; round++) {
      turn(kit, `${round}`)
      expect(kit.catalog.superseded()).toBe(0)
      disk.fault = { at: disk.calls.length + 1, errno: 'EMFILE', once: false }
      expect(() => walk(kit.store)).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
      disk.fault = undefined
    }
    turn(kit, 'last')
    expect(kit.catalog.superseded()).toBe(0)
    expect(walk(kit.store)).toEqual([['a', 'last']])
  })
})

describe('a read that cannot close a table that nobody needs any more', () => {
  it('holds nothing', () => {
    const disk = new StickyDisk()
    const kit = opened(disk)
    for (let round = 0; round < 4; round++) {
      turn(kit, `${round}`)
      expect(kit.store.get('a')).toBe(`${round}`)
      evictAll(kit as PartialKit<unknown, unknown>)
      compact(kit as PartialKit<unknown, unknown>)
      evictAll(kit as PartialKit<unknown, unknown>)
      disk.sticks = true
      expect(() => kit.store.get('a')).toThrow(expect.objectContaining({ code: 'HEDDLE_IO' }))
      disk.sticks = false
    }
    turn(kit, 'last')
    expect(kit.catalog.superseded()).toBe(0)
    expect(kit.store.get('a')).toBe('last')
  })
})

describe('an attachment to a snapshot for which there is no room', () => {
  it('holds nothing', () => {
    const disk = new SimulatedDisk()
    const kit = opened(disk, { maxSnapshots: 4 })
    turn(kit, '0')
    const snapshots = Array.from({ length: 4 }, () => kit.store.snapshot())
    const { handle } = snapshots[0]!
    expect(() => kit.store.attachSnapshot(handle)).toThrow(
      expect.objectContaining({ code: 'HEDDLE_TOO_MANY_SNAPSHOTS' }),
    )
    turn(kit, '1')
    expect(kit.catalog.superseded()).toBe(1)
    for (const snapshot of snapshots) snapshot.close()
    expect(kit.catalog.superseded()).toBe(0)
  })

  it('takes no place among the snapshots either, if it is for the version that there is none', () => {
    const disk = new SimulatedDisk()
    const kit = opened(disk, { maxSnapshots: 31 })
    const other = attachPartial<string, string>(kit.engine.arena.buffer, {}, disk)
    const snapshots: Snapshot<string, string>[] = []
    for (let round = 0; round < 29; round++) {
      turn(kit, `${round}`)
      snapshots.push(kit.store.snapshot())
    }
    turn(kit, 'last')
    const last = other.store.snapshot()
    const tooMany = expect.objectContaining({
      code: 'HEDDLE_TOO_MANY_SNAPSHOTS',
      message: expect.stringContaining('versions'),
    })
    for (let i = 0; i < 3; i++) expect(() => kit.store.attachSnapshot(last.handle)).toThrow(tooMany)
    snapshots.shift()!.close()
    const attached = kit.store.attachSnapshot(last.handle)
    expect(attached.get('a')).toBe('last')
    for (const each of [last, attached, ...snapshots]) each.close()
    turn(kit, 'after')
    // Neither does any of it hold the version.
    expect(kit.catalog.superseded()).toBe(0)
  })

  it('is made all the same if it is for a version that this thread holds already', () => {
    const kit = opened(new SimulatedDisk(), { maxSnapshots: 31 })
    const snapshots: Snapshot<string, string>[] = []
    for (let round = 0; round < 29; round++) {
      turn(kit, `${round}`)
      snapshots.push(kit.store.snapshot())
    }
    const attached = kit.store.attachSnapshot(snapshots[3]!.handle)
    snapshots.push(attached)
    expect(attached.get('a')).toBe('3')
    turn(kit, 'last')
    for (const each of snapshots) each.close()
    expect(kit.catalog.superseded()).toBe(0)
  })
})
