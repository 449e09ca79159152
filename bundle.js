/**
 * Puts the engine's floors into one module, once tsc has built every file for itself: V8 then reads constants as constants
 * and calls functions without a look at another module's cell, which makes every operation faster (bench/README.md). The
 * files stay where they are and export from that module what they exported before, so all who import them share it.
 */
import { readdirSync, rmSync } from 'node:fs'
import { build } from 'rolldown'

/** What lies above the engine. */
const ABOVE = ['cli', 'explore']
/** Told by where they are: the explorer's own error from the one it explores, and the threads' entry points. */
const IN_PLACE = ['src/memory/error', 'src/memory/worker-url']

const names = ['src/index']
for (const floor of readdirSync('src', { withFileTypes: true })) {
  if (!floor.isDirectory() || ABOVE.includes(floor.name)) continue
  for (const file of readdirSync(`src/${floor.name}`)) {
    const name = `src/${floor.name}/${file.replace(/\.ts$/, '')}`
    if (file.endsWith('.ts') && !IN_PLACE.includes(name)) names.push(name)
  }
}

await build({
  input: Object.fromEntries(names.map((name) => [name, `${name}.ts`])),
  platform: 'node',
  external: IN_PLACE.map((name) => new RegExp(`/${name}\\.ts$`)),
  transform: { target: 'node20' },
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    paths: (id) => id.replace(/\.ts$/, '.js'),
    entryFileNames: '[name].js',
    chunkFileNames: 'src/[name].js',
    codeSplitting: { groups: [{ name: 'engine', test: /\/src\// }] },
  },
})
// What tsc said of the files that this has replaced.
for (const name of names) rmSync(`dist/${name}.js.map`, { force: true })
