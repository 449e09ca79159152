/** A disk that refuses tables keeps no version of them held: what was held would be held until the thread leaves. */
import { describe, expect, it } from 'vitest'
import type { DiskFile } from '../../../src/lsm/disk.ts'
import { ioError } from '../../../src/lsm/file-error.ts'
import type { Store } from '../../../src/store/store.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { compact, evictAll, flush, openPartial, type PartialKit } from '../../support/partial-store.ts'
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

function opened(disk: SimulatedDisk): PartialKit {
  return openPartial<string, string>({ memory: MIB, maxThreads: 4, tuning: { ...tiny, pageIds: 64 } }, disk)
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
