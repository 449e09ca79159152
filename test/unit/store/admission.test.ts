import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { open } from '../../../src/index.ts'
import { Admission } from '../../../src/store/admission.ts'

const MEMORY = 2 ** 20
const KEYS = MEMORY / 256

test('while there is room, every key that was read below comes up', () => {
  const admission = new Admission(MEMORY, () => false)
  for (let hash = 0; hash < 1000; hash++) expect(admission.admits(hash)).toBe(true)
})

test('when memory is short, only one that was read before', () => {
  const admission = new Admission(MEMORY, () => true)
  for (const hash of [0, 5, -1, 2 ** 31 - 1]) {
    expect(admission.admits(hash)).toBe(false)
    expect(admission.admits(hash)).toBe(true)
  }
})

test('and not one that too many others have come after', () => {
  const admission = new Admission(MEMORY, () => true)
  expect(admission.admits(7)).toBe(false)
  for (let i = 1; i <= KEYS; i++) expect(admission.admits(7 + i)).toBe(false)
  expect(admission.admits(7)).toBe(false)
  expect(admission.admits(7)).toBe(true)
})

test('while nothing has to be remembered, no memory is taken for it', () => {
  let short = false
  const admission = new Admission(2 ** 32, () => short)
  expect(admission.bytes).toBe(0)
  for (let hash = 0; hash < 1000; hash++) admission.admits(hash)
  expect(admission.bytes).toBe(0)
  short = true
  for (let hash = 0; hash < 1000; hash++) admission.admits(hash)
  expect(admission.bytes).toBe(4 * 2 ** 16)
})

test('the keys that are remembered are some thousands, whatever the memory', () => {
  for (const [memory, keys] of [
    [1, 2 ** 10],
    [2 ** 32, 2 ** 16],
  ]) {
    const admission = new Admission(memory, () => true)
    for (let hash = 0; hash < keys; hash++) admission.admits(hash)
    let known = 0
    for (let hash = 0; hash < keys; hash += 2) if (admission.admits(hash)) known++
    expect(known).toBe(keys / 2)
    admission.admits(keys)
    expect(admission.admits(0)).toBe(false)
  }
})

test('that memory is short, or no longer is, is seen before long', () => {
  let short = false
  let looks = 0
  const admission = new Admission(MEMORY, () => {
    looks++
    return short
  })
  for (let hash = 0; hash < 300; hash++) expect(admission.admits(hash)).toBe(true)
  expect(looks).toBe(2)
  short = true
  const answers = Array.from({ length: 300 }, (_, hash) => admission.admits(hash))
  expect(answers.indexOf(false)).toBeLessThan(256)
  expect(answers.at(-1)).toBe(false)
  short = false
  for (let hash = 0; hash < 256; hash++) admission.admits(hash)
  expect(admission.admits(1 << 20)).toBe(true)
})

test('a store larger than its memory brings up what is read again, not all that is read', { timeout: 120_000 }, () => {
  const path = mkdtempSync(join(tmpdir(), 'heddle-admission-'))
  const store = open<'utf8', 'utf8'>({ path, memory: 2 ** 21, durability: 'none' })
  try {
    const keys = 12_000
    // Scattered, and each once: 7919 is prime.
    const keyOf = (i: number): string => `key ${(i * 7919) % keys}`
    for (let i = 0; i < keys; i++) store.set(`key ${i}`, `${i}`.padEnd(500, '.'))
    const fills = (): number => store.stats().fills
    const before = fills()
    for (let i = 0; i < keys; i++) expect(store.get(keyOf(i))).toHaveLength(500)
    expect(fills() - before).toBeLessThan(keys / 2)
    const after = fills()
    for (let i = keys - 100; i < keys; i++) for (let times = 0; times < 4; times++) store.get(keyOf(i))
    expect(fills() - after).toBeGreaterThan(20)
  } finally {
    store.close()
    rmSync(path, { recursive: true })
  }
})
