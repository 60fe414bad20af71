/** Our tables as the protocol's schema messages. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Schema_NestedBlock_NestingMode,
  SchemaSchema,
  type GetProviderSchema_ResponseSchema,
  type Schema,
  type Schema_BlockSchema,
} from "#rpc/gen/tfplugin5_pb.js";
import { dataTypes, providerBlock, resourceTypes } from "../../coderprovider/provider.ts";
import type { BlockSchema, TypeDef } from "../../coderprovider/types.ts";

function writeBlock(block: BlockSchema): MessageInitShape<typeof Schema_BlockSchema> {
  return {
    attributes: Object.entries(block.attributes)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, def]) => ({
        name,
        type: Buffer.from(JSON.stringify(def.type)),
        required: def.required ?? false,
        optional: def.optional ?? false,
        computed: def.computed ?? false,
        sensitive: def.sensitive ?? false,
        deprecated: def.deprecated !== undefined,
      })),
    blockTypes: Object.entries(block.blocks)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([typeName, def]) => ({
        typeName,
        block: { ...writeBlock(def.block), deprecated: def.deprecated !== undefined },
        nesting:
          def.nesting === "set" ? Schema_NestedBlock_NestingMode.SET : Schema_NestedBlock_NestingMode.LIST,
        minItems: BigInt(def.min ?? 0),
        maxItems: BigInt(def.max ?? 0),
      })),
  };
}

function writeType({ version, block }: TypeDef): Schema {
  const number = BigInt(version);
  return create(SchemaSchema, { version: number, block: { ...writeBlock(block), version: number } });
}

function writeTypes(types: Readonly<Record<string, TypeDef>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(types).map(([name, def]) => [name, writeType(def)]));
}

export const serverCapabilities = { getProviderSchemaOptional: true };

export function providerSchema(): MessageInitShape<typeof GetProviderSchema_ResponseSchema> {
  return {
    provider: writeType({ version: 0, block: providerBlock }),
    resourceSchemas: writeTypes(resourceTypes),
    dataSourceSchemas: writeTypes(dataTypes),
    serverCapabilities,
  };
}
