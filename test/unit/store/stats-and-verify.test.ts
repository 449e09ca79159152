import { expect, it } from 'vitest'
import { assertWhole, openStore, tiny, withStore } from '../../support/stores.ts'

it('stats is a flat object of numbers', () => {
  withStore({ tuning: tiny }, (store) => {
    for (let i = 0; i < 500; i++) store.set(`key ${i}`, String(i))
    const stats = store.stats()
    for (const [name, value] of Object.entries(stats)) expect([name, typeof value]).toEqual([name, 'number'])
    const names = ['entries', 'pages', 'height', 'splits', 'merges', 'pageIdsRetired', 'pageIdsReused', 'liveWords']
    for (const name of [...names, 'segmentsCleaned', 'segmentsFree']) expect(stats).toHaveProperty(name)
    expect(stats.entries).toBe(500)
    expect(stats.splits).toBeGreaterThan(50)
    expect(stats.liveWords).toBeGreaterThan(500)
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats)
  })
})

it('verify tells what it found', () => {
  withStore({ tuning: tiny }, (store) => {
    const empty = store.verify()
    expect(empty).toMatchObject({ ok: true, problems: [], entries: 0, leakedWords: 0, leakedPageIds: 0 })
    for (let i = 0; i < 500; i++) store.set(`key ${i}`, String(i))
    const report = store.verify()
    expect(report).toMatchObject({ ok: true, problems: [], entries: 500, leakedWords: 0, leakedPageIds: 0 })
    expect(report.pages).toBeGreaterThan(empty.pages)
    expect(report.height).toBeGreaterThan(empty.height)
    expect(structuredClone(report)).toEqual(report)
  })
})

it('a store that grew and shrank many times is no larger than before', () => {
  const store = openStore({ tuning: tiny })
  const pagesAfter = (): number => {
    for (let i = 0; i < 400; i++) store.set(`key ${i}`, String(i))
    for (let i = 0; i < 400; i++) store.delete(`key ${i}`)
    assertWhole(store)
    return store.verify().pages
  }
  const first = pagesAfter()
  let last = first
  for (let round = 0; round < 20; round++) last = pagesAfter()
  expect(last).toBeLessThanOrEqual(first + 2)
  expect(last).toBeLessThan(20)
  expect(store.stats().pageIdsReused).toBeGreaterThan(0)
  expect(store.stats().merges).toBeGreaterThan(0)
  store.close()
})

it('drain can be called at any time and changes no entry', () => {
  withStore({ tuning: tiny }, (store) => {
    store.drain()
    for (let i = 0; i < 300; i++) {
      store.set(`key ${i % 50}`, String(i))
      if (i % 7 === 0) store.delete(`key ${(i * 3) % 50}`)
      if (i % 11 === 0) store.drain()
    }
    const entries = [...store]
    store.drain()
    store.drain()
    expect([...store]).toEqual(entries)
  })
})
