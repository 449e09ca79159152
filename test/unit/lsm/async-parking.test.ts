import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { parkAsync } from '../../../src/lsm/async-parking.ts'
import { ring } from '../../../src/memory/parking.ts'

function words(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(64))
}

it('parking without blocking ends by a ring, at once if there was one, and by its time', async () => {
  const bells = words()
  const ended: string[] = []
  const rung = parkAsync(bells, 3, 0, 60_000).then(() => ended.push('rung'))
  const late = parkAsync(bells, 4, 0, 2).then(() => ended.push('late'))
  await late
  await parkAsync(bells, 3, 7, 60_000)
  expect(ended).toEqual(['late'])
  ring(bells, 3)
  await rung
  expect(ended).toEqual(['late', 'rung'])
})

it('keeps the process alive while it is parked without blocking', () => {
  const parking = new URL('../../../src/lsm/async-parking.ts', import.meta.url).href
  const loader = new URL('../../support/register-tsx.mjs', import.meta.url).href
  const code = `
    const { parkAsync } = await import(${JSON.stringify(parking)})
    await parkAsync(new Int32Array(new SharedArrayBuffer(64)), 3, 0, 50)
    console.log('over')
  `
  const argv = ['--import', loader, '--input-type=module', '-e', code]
  expect(execFileSync(process.execPath, argv, { encoding: 'utf8' })).toBe('over\n')
})
