import { it, vi } from 'vitest'
import { appendFileSync } from 'node:fs'

const names = (process.env.MODULES ?? '').split(',')
const ms = Number(process.env.MS ?? 3000)
const only = process.env.ONLY ?? ''
const not = process.env.NOT ?? '\n'
const out = process.env.OUT!
it('measures', async () => {
  for (const name of names) {
    let { scenarios } = await import(`./${name}.ts`)
    for (let i = 0; i < scenarios.length; i++) {
      if (!scenarios[i].name.includes(only) || scenarios[i].name.includes(not)) continue
      vi.resetModules()
      scenarios = (await import(`./${name}.ts`)).scenarios
      const { realNow } = await import('../../../src/explore/surroundings.ts')
      const { explore } = await import('../../../src/explore/index.ts')
      const s = scenarios[i]
      const mode = process.env.XMODE === undefined ? {} : { mode: process.env.XMODE.startsWith('b') ? { bound: Number(process.env.XMODE.slice(1)) } : process.env.XMODE }
      let r: any
      let spent = 0, spentAttach = 0
      const inner = s.options.after, innerAttach = s.options.attach
      const after = (...a: any[]) => { const t = realNow(); try { inner(...a) } finally { const d = [0, (realNow() - t) * 1e6]; spent += d[0] * 1e3 + d[1] / 1e6 } }
      const attach = (...a: any[]) => { const t = realNow(); try { return innerAttach(...a) } finally { const d = [0, (realNow() - t) * 1e6]; spentAttach += d[0] * 1e3 + d[1] / 1e6 } }
      try {
        r = explore({ name: s.name, ...s.options, after, attach, ...mode, maxMs: ms })
      } catch (error: any) { appendFileSync(out, `${s.name}: THREW ${error.stack}\n`); continue }
      appendFileSync(out, `${s.name}: ${r.error ? 'FAIL ' + r.error.kind : r.complete ? 'complete' : 'BUDGET'} x${r.executions} blocked ${r.blocked} steps ${(r.steps / r.executions).toFixed(0)} ${r.ms}ms ${((r.ms * 1000) / r.executions).toFixed(0)}us/x ${r.phase} after ${spent.toFixed(0)}ms attach ${spentAttach.toFixed(0)}ms\n`)
      if (r.error && r.error.kind !== s.expect.kind) appendFileSync(out, `${r.error.message}\n${r.error.columns}\n${r.error.minimized}\n${String((r.error.cause as any)?.stack ?? '')}\n\n`)
    }
  }
}, 10_000_000)
