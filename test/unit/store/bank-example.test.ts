import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const project = new URL('../../../', import.meta.url)

/** The block of code that comes first after some text of the README. */
function codeAfter(text: string): string {
  const readme = readFileSync(new URL('README.md', project), 'utf8')
  const found = /```js\n(.*?)```/s.exec(readme.slice(readme.indexOf(text)))
  return found![1]!.replace("'heddle'", JSON.stringify(new URL('src/index.ts', project).href))
}

it('the bank of the README prints what is said there', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(fileURLToPath(new URL('node_modules/.bank-example-', project)))
  try {
    writeFileSync(`${folder}/bank.mjs`, codeAfter('`bank.mjs` opens the accounts'))
    writeFileSync(`${folder}/teller.mjs`, codeAfter('`teller.mjs` moves money'))
    const argv = ['--import', new URL('test/support/register-tsx.mjs', project).href, `${folder}/bank.mjs`]
    const printed = await new Promise<string>((resolve) => {
      execFile(process.execPath, argv, { timeout: 50_000 }, (_error, out, err) => resolve(out + err))
    })
    expect(printed).toBe('4000 true\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
