import { startReplica } from './replica.ts'
import type { Replica, ReplicaOptions } from './replica.ts'

/** Two controllers, one of which leads; who dies is replaced, as a Deployment would. */
export class Replicas {
  readonly #options: Omit<ReplicaOptions, 'name'>
  #alive: Replica[] = []
  #started = 0

  constructor(options: Omit<ReplicaOptions, 'name'>) {
    this.#options = options
  }

  start(): Replica {
    const replica = startReplica({ ...this.#options, name: `controller-${++this.#started}` })
    this.#alive.push(replica)
    void replica.lost.then(() => {
      this.#alive = this.#alive.filter((r) => r !== replica)
      this.start()
    })
    return replica
  }

  get leader(): Replica | undefined {
    return this.#alive.find((r) => r.leads)
  }

  /** The leader, else any: the replica whose metrics are shown. */
  get shown(): Replica | undefined {
    return this.leader ?? this.#alive[0]
  }

  /** Kills the leader; undefined when there is none at this moment. */
  killLeader(): Replica | undefined {
    const victim = this.leader
    if (victim === undefined) return undefined
    this.#alive = this.#alive.filter((r) => r !== victim)
    victim.kill()
    return victim
  }

  async stop(): Promise<void> {
    const leader = this.leader
    // standbys first, so that none takes over what is being put down
    await Promise.all(this.#alive.filter((r) => r !== leader).map((r) => r.stop()))
    await leader?.stop()
  }
}
