/** Bytes for each record: a fresh process for each engine, looked at before it is opened, loaded, and overwritten. */
import { Competitor, PLAIN_TASK, type Variation, messageOf } from './field.ts'
import type { Resident } from './engine-host.ts'
import type { Options } from './options.ts'
import type { Progress } from './progress.ts'
import type { Footprint } from './report.ts'

/** Each record is overwritten so often, in random order. */
const OVERWRITES = 2
const CHUNKS = 10

function footprintOf(engine: string, when: string, before: Resident, now: Resident, records: number): Footprint {
  const each = (bytes: number) => Math.round((bytes / records) * 10) / 10
  const privateBytes = now.privateBytes - before.privateBytes
  const mappedBytes = now.mappedBytes - before.mappedBytes
  return {
    engine,
    when,
    bytesPerRecord: each(privateBytes + mappedBytes),
    mappedBytesPerRecord: each(mappedBytes),
    fileBytesPerRecord: each(now.fileBytes),
  }
}

/** An engine that cannot be measured has one entry with the reason. */
export async function measureFootprint(
  options: Options,
  engine: string,
  variation: Variation,
  progress: Progress,
): Promise<Footprint[]> {
  const competitor = new Competitor(options, engine, variation, true)
  try {
    progress.say(`memory: ${engine}`)
    await competitor.start()
    if (competitor.out !== null) throw new Error(competitor.out)
    const { process: host, records } = competitor
    const overwrite = async (rehearsal: boolean): Promise<void> => {
      const count = Math.ceil((records * OVERWRITES) / CHUNKS)
      for (let chunk = 0; chunk < CHUNKS; chunk++) {
        const task = { ...PLAIN_TASK, workload: 'overwrite', count, seed: chunk + 1, bulk: true, rehearsal }
        await host.run(task)
      }
    }
    // The harness's own heap grows first, so that only the engine's growth is seen.
    await competitor.rehearse()
    await overwrite(true)
    const before = await host.resident()
    await competitor.ensureLoaded()
    const loaded = await host.resident()
    await overwrite(false)
    const overwritten = await host.resident()
    return [
      footprintOf(engine, 'after load', before, loaded, records),
      footprintOf(engine, 'after overwriting', before, overwritten, records),
    ]
  } catch (error) {
    return [{ engine, when: 'after load', bytesPerRecord: null, missing: messageOf(error) }]
  } finally {
    await competitor.end()
  }
}
