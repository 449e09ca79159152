import { it } from 'vitest'
import { explore } from '../../../src/explore/index.ts'
const textbook = [
  'b-link-tree',
  'chase-lev-deque',
  'harris-list',
  'locks',
  'michael-scott-queue',
  'permits',
  'publication',
  'ring',
  'sealed-chain',
  'seqlock',
  'treiber-stack',
]
const faults = ['stacks', 'reclamation', 'publication', 'queues', 'locks', 'waiting', 'words', 'trees']
it('table', async () => {
  const out: string[] = []
  const pick = process.env['PICK']
  for (const [dir, names] of [
    ['../textbook/', textbook],
    ['../../seeded-faults/', faults],
  ] as const) {
    for (const n of names) {
      const { scenarios } = await import(`${dir}${n}.ts`)
      for (const s of scenarios) {
        if (pick !== undefined && !s.name.includes(pick)) continue
        const r = explore({ name: s.name, maxMs: 8000, ...s.options })
        const ok = r.error?.kind === s.expect.kind && (s.expect.kind !== undefined || r.complete)
        out.push(
          `${ok ? 'ok ' : 'BAD'} ${n} | ${s.name} | ${r.error?.kind ?? (r.complete ? 'complete' : 'INCOMPLETE')} (want ${s.expect.kind ?? 'complete'} in ${s.expect.within ?? '-'}) ex=${r.executions} blocked=${r.blocked} steps/ex=${(r.steps / r.executions).toFixed(1)} ms=${Math.round(r.ms)} ${r.phase}`,
        )
        if (!ok && r.error) out.push('      ' + r.error.message.slice(0, 300).replaceAll('\n', '\n      '))
        if (pick !== undefined && r.error) out.push(r.error.columns)
      }
    }
  }
  console.log(out.join('\n'))
}, 600000)
