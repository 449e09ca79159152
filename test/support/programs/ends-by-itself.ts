import { open } from '../../../src/index.ts'
import { program } from '../crew.ts'

// Uses a store in the way it is told to and comes to its end. Nothing calls process.exit().
const way = process.argv[2]
const store = open({ memory: 2 ** 23, cleaner: way?.includes('cleaner') ?? false })
for (let i = 0; i < 2000; i++) store.set(`key ${i % 300}`, `${i}`.repeat(20))
for (let i = 0; i < 300; i += 2) store.delete(`key ${i}`)

if (way?.startsWith('after a worker')) {
  const worker = store.spawn(program('die'), { workerData: { way: 'simply ending', name: 'worker' } })
  worker.once('exit', (code) => {
    console.log(`worker ${code}, ${store.has('worker 59')}`)
    if (way.includes('close')) store.close()
  })
} else {
  console.log(`${way}: ${store.size} entries`)
  if (way?.includes('close')) store.close()
}
