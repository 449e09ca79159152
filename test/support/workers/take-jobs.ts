import { workerMain } from '../worker-main.ts'

/** Takes jobs from the front of a queue in the store until there are none. Gives those that were this thread's to do. */
workerMain<object, string[]>((store, { thread }) => {
  const taken: string[] = []
  for (;;) {
    const [job] = store.keys({ prefix: 'job ', limit: 1 })
    if (job === undefined) return taken
    if (!store.delete(job)) continue
    taken.push(job)
    if (store.setIfAbsent(`done ${job}`, String(thread)) !== undefined) throw new Error(`${job} was done twice`)
  }
})
