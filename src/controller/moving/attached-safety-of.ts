import type { Intent } from '../../api/volume-migration.ts'
import { attachedSafe } from '../../blockers/attached-safety.ts'
import type { AttachedSafety, ExtraSpecs } from '../../blockers/attached-safety.ts'
import type { Inventory } from '../view/inventory.ts'

/** A volume type by its id; `name` for people, empty where only the id is known. */
type TypeRef = { readonly id: string; readonly name: string }

/** Whether a policy that allows this may retype an attached volume from one type to the other, by what was last read from Cinder. */
export function attachedSafetyOf(
  inventory: Pick<Inventory, 'types' | 'microversion'>,
  { attached, migrationPolicy }: NonNullable<Intent['migration']>,
  from: TypeRef,
  to: TypeRef,
): AttachedSafety {
  return attachedSafe({
    maxMicroversion: inventory.microversion,
    fromExtraSpecs: specsOf(inventory, from),
    toExtraSpecs: specsOf(inventory, to),
    rule: attached,
    migrationPolicy,
  })
}

/** A type that is not in the list is unknown, not one without extra specs. */
function specsOf({ types }: Pick<Inventory, 'types'>, { id, name }: TypeRef): ExtraSpecs {
  if (id === '') return { kind: 'Unknown', why: 'Cinder does not report the type of the volume' }
  const type = types.find((t) => t.id === id)
  if (type === undefined)
    return {
      kind: 'Unknown',
      why: `volume type ${name === '' ? id : name} is not visible to this project (private, or deleted); an administrator can give access with openstack volume type set --project PROJECT ${id}`,
    }
  if (type.extraSpecs === undefined)
    return {
      kind: 'Unknown',
      why: `Cinder does not show this credential the extra specs of volume type ${type.name}`,
    }
  return { kind: 'Seen', specs: type.extraSpecs }
}
