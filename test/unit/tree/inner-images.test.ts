import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/store/engine.ts'
import { InnerImage } from '../../../src/tree/inner-image.ts'
import { headAt } from '../../../src/tree/key.ts'
import { KeyBuffer } from '../../../src/tree/key.ts'
import type { Fence } from '../../../src/tree/leaf-image.ts'
import { MAX_PREFIX_BYTES } from '../../../src/tree/leaf-image.ts'
import { NO_FENCE, NO_MERGE } from '../../../src/tree/page.ts'
import { firstEngine } from './engines.ts'
import { makeRoom, partsOf } from './images.ts'
import { keys, textOf } from './keys.ts'

const engine = firstEngine({ segmentWords: 8192, pageIds: 16 })
const image = new InnerImage(engine.tree.context)

const ordered = fc
  .uniqueArray(keys, { minLength: 1, maxLength: 8, selector: textOf })
  .map((all) => all.filter((key) => key.length > 0).sort((a, b) => Buffer.compare(a, b)))

function fence(bytes: Uint8Array): Fence {
  return { bytes, at: 0, length: bytes.length }
}

/** Writes children 101, 102, ... of which all but the first have these separators. */
function write(separators: readonly Uint8Array[], low: Uint8Array, high: Uint8Array | null): number {
  makeRoom(engine)
  image.clear()
  image.append(101, low, 0, low.length)
  separators.forEach((separator, i) => image.append(102 + i, separator, 0, separator.length))
  return image.write(7, 2, 9, fence(low), high === null ? null : fence(high), NO_MERGE, 0, image.count)
}

function abandon({ log }: Engine, base: number): void {
  log.abort(1, base, partsOf(engine, base).size)
}

describe('an inner page', () => {
  it('gives back what was written, and takes just the words that were said', () => {
    fc.assert(
      fc.property(ordered, fc.option(keys), (separators, high) => {
        const low = separators.length > 2 ? separators[0]!.subarray(0, 1) : new Uint8Array(0)
        const base = write(separators, low, high)
        const parts = partsOf(engine, base)
        expect(parts).toMatchObject({ level: 2, right: 9, merge: NO_MERGE, low: textOf(low) })
        expect(parts.high).toBe(high === null ? undefined : textOf(high))
        expect(parts.children).toEqual(Array.from({ length: separators.length + 1 }, (_, i) => 101 + i))
        expect(parts.separators).toEqual(['', ...separators.map(textOf)])
        expect(parts.size).toBe(image.wordsNeeded(0, image.count, low.length, high === null ? NO_FENCE : high.length))
        abandon(engine, base)
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('has the prefix that its separators share, the first apart, and heads behind it in order', () => {
    fc.assert(
      fc.property(ordered, (separators) => {
        const base = write(separators, new Uint8Array(0), null)
        const { prefix, heads } = partsOf(engine, base)
        expect(prefix.length).toBeLessThanOrEqual(MAX_PREFIX_BYTES)
        for (const separator of separators)
          expect(separators.length < 2 || textOf(separator).startsWith(prefix)).toBe(true)
        if (separators.length > 1 && prefix.length < MAX_PREFIX_BYTES) {
          const next = new Set(separators.map((separator) => separator[prefix.length]))
          expect(next.size).toBeGreaterThan(1)
        }
        expect(heads[0]).toBe(-(2 ** 31))
        const expected = separators.map((separator) => headAt(separator, 0, separator.length, prefix.length))
        expect(heads.slice(1)).toEqual(expected)
        expect(heads).toEqual([...heads].sort((a, b) => a - b))
        abandon(engine, base)
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  it('leads every key to the child whose range holds it', () => {
    const { search } = engine.tree
    const key = new KeyBuffer()
    fc.assert(
      fc.property(ordered, keys, fc.boolean(), (separators, wanted, below) => {
        const base = write(separators, new Uint8Array(0), null)
        for (const probe of [wanted, ...separators]) {
          key.copyFrom(probe, 0, probe.length)
          const passed = separators.filter((separator) => {
            const order = Buffer.compare(separator, probe)
            return below ? order < 0 : order <= 0
          })
          expect(search.childIndex(key, base, below)).toBe(passed.length)
        }
        abandon(engine, base)
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  it('is written whole or not at all: without room there is no page, and the room that lacks is said', () => {
    const { context } = engine.tree
    const all = engine.log.available(1)
    const keep = engine.log.reserve(1, all - 10)
    image.clear()
    image.append(101, new Uint8Array(0), 0, 0)
    image.append(102, Uint8Array.of(5), 0, 1)
    const empty = fence(new Uint8Array(0))
    expect(image.write(7, 1, 0, empty, null, NO_MERGE, 0, 2)).toBe(0)
    expect(context.shortage).toBe(image.wordsNeeded(0, 2, 0, NO_FENCE))
    expect(engine.log.available(1)).toBe(10)
    engine.log.abort(1, keep, all - 10)
  })
})

describe('an image of an inner page', () => {
  it('follows insertions, removals and divisions like a list', () => {
    type Child = { child: number; separator: string }
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), key: keys }),
        fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(steps, fc.nat(), (run, cut) => {
        image.clear()
        const model: Child[] = []
        run.forEach((step, i) => {
          if (step.kind === 'insert') {
            const at = step.at % (model.length + 1)
            image.insert(at, 100 + i, step.key, 0, step.key.length)
            model.splice(at, 0, { child: 100 + i, separator: textOf(step.key) })
          } else if (model.length > 0) {
            image.remove(step.at % model.length)
            model.splice(step.at % model.length, 1)
          }
        })
        const now = Array.from({ length: image.count }, (_, i) => {
          const { bytes, at, length } = image.separator(i)
          return { child: image.children[i], separator: textOf(bytes.subarray(at, at + length)) }
        })
        expect(now).toEqual(model)
        if (model.length < 2) return
        const from = cut % (model.length - 1)
        makeRoom(engine)
        const empty = fence(new Uint8Array(0))
        // Not in order, so only what is stored is looked at.
        const base = image.write(7, 1, 0, empty, null, 3, from, model.length)
        const parts = partsOf(engine, base)
        expect(parts.children).toEqual(model.slice(from).map(({ child }) => child))
        expect(parts.separators).toEqual(['', ...model.slice(from + 1).map(({ separator }) => separator)])
        expect(parts.merge).toBe(3)
        abandon(engine, base)
      }),
      { seed: 4, numRuns: 200 },
    )
  })

  it('takes over a page, and behind it its right neighbour with its low fence as the separator', () => {
    const [left, right] = [
      write([Uint8Array.of(2), Uint8Array.of(3)], new Uint8Array(0), Uint8Array.of(5)),
      write([Uint8Array.of(6)], Uint8Array.of(5), null),
    ]
    image.clear()
    image.load(left, fence(new Uint8Array(0)))
    image.load(right, fence(Uint8Array.of(5)))
    const now = Array.from({ length: image.count }, (_, i) => {
      const { bytes, at, length } = image.separator(i)
      return [image.children[i], textOf(bytes.subarray(at, at + length))]
    })
    expect(now).toEqual([
      [101, ''],
      [102, '\x02'],
      [103, '\x03'],
      [101, '\x05'],
      [102, '\x06'],
    ])
  })
})
