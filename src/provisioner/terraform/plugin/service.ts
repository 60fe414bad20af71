/** The RPCs of the plugin protocol on top of the provider's pure functions. One object a connection. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Diagnostic_Severity,
  type Provider,
  type ValidateTypeConfig_ResponseSchema,
} from "#rpc/gen/tfplugin5_pb.js";
import {
  configure,
  createResource,
  dataTypes,
  planResource,
  providerBlock,
  readData,
  readResource,
  resourceTypes,
  upgradeState,
  validateData,
  validateResource,
} from "../../coderprovider/provider.ts";
import { isAttributes } from "../../coderprovider/define.ts";
import type { Attributes, BlockSchema, ProviderContext, TypeDef } from "../../coderprovider/types.ts";
import type { GrpcHandlers } from "./grpc.ts";
import { providerSchema, serverCapabilities } from "./schema.ts";
import { parseJson, readValue, writeDiagnostics, writePath, writeValue } from "./values.ts";

function typeOf(types: Readonly<Record<string, TypeDef>>, name: string): TypeDef {
  const def = Object.hasOwn(types, name) ? types[name] : undefined;
  if (!def) throw new Error(`the provider has no type ${JSON.stringify(name)}`);
  return def;
}

/** What states keep beside the attributes, as upstream's SDK writes it. */
function privateOf({ version }: TypeDef): Uint8Array {
  return Buffer.from(version > 0 ? JSON.stringify({ schema_version: String(version) }) : "null");
}

function configOf(block: BlockSchema, value: Parameters<typeof readValue>[1]): Attributes {
  const config = readValue(block, value);
  if (config === null) throw new Error("a configuration is missing");
  return config;
}

function validated(
  diagnostics: Parameters<typeof writeDiagnostics>[0],
): MessageInitShape<typeof ValidateTypeConfig_ResponseSchema> {
  return { diagnostics: writeDiagnostics(diagnostics) };
}

export function providerService(base: Omit<ProviderContext, "url">): GrpcHandlers<typeof Provider> {
  let url = "";
  const ctx = (): ProviderContext => ({ ...base, url });
  return {
    getMetadata: () => ({
      serverCapabilities,
      resources: Object.keys(resourceTypes).map((typeName) => ({ typeName })),
      dataSources: Object.keys(dataTypes).map((typeName) => ({ typeName })),
    }),
    getSchema: () => providerSchema(),
    prepareProviderConfig(request) {
      return request.config ? { preparedConfig: request.config } : {};
    },
    configure(request) {
      const configured = configure(configOf(providerBlock, request.config), base.env);
      ({ url } = configured);
      return { diagnostics: writeDiagnostics(configured.diagnostics) };
    },
    validateResourceTypeConfig({ typeName, config }) {
      const { block } = typeOf(resourceTypes, typeName);
      return validated(validateResource(typeName, configOf(block, config)));
    },
    validateDataSourceConfig({ typeName, config }) {
      const { block } = typeOf(dataTypes, typeName);
      return validated(validateData(typeName, configOf(block, config)));
    },
    upgradeResourceState({ typeName, rawState }) {
      const { block } = typeOf(resourceTypes, typeName);
      const raw = rawState && rawState.json.length > 0 ? parseJson(rawState.json) : {};
      if (!isAttributes(raw)) throw new Error("a stored state must be an object");
      return { upgradedState: writeValue(block, upgradeState(typeName, raw)) };
    },
    readResource({ typeName, currentState, private: kept }) {
      const { block } = typeOf(resourceTypes, typeName);
      const state = readValue(block, currentState);
      return { newState: writeValue(block, state && readResource(typeName, state, ctx())), private: kept };
    },
    planResourceChange({ typeName, priorState, proposedNewState, config, priorPrivate }) {
      const def = typeOf(resourceTypes, typeName);
      const legacy = { legacyTypeSystem: true };
      if (readValue(def.block, proposedNewState) === null) {
        return { ...legacy, plannedState: writeValue(def.block, null), plannedPrivate: priorPrivate };
      }
      const prior = readValue(def.block, priorState);
      const plan = planResource(typeName, { config: configOf(def.block, config), prior });
      return {
        ...legacy,
        plannedState: writeValue(def.block, plan.planned),
        plannedPrivate: prior === null ? privateOf(def) : priorPrivate,
        requiresReplace: plan.requiresReplace.map(writePath),
        diagnostics: writeDiagnostics(plan.diagnostics),
      };
    },
    applyResourceChange({ typeName, plannedState }) {
      const def = typeOf(resourceTypes, typeName);
      const planned = readValue(def.block, plannedState);
      const legacy = { legacyTypeSystem: true };
      if (planned === null) return { ...legacy, newState: writeValue(def.block, null) };
      const { state, diagnostics } = createResource(typeName, { planned }, ctx());
      // What failed does not exist: nothing outside of the state was made.
      const failed = diagnostics.some(({ severity }) => severity === "error");
      return {
        ...legacy,
        newState: writeValue(def.block, failed ? null : state),
        private: privateOf(def),
        diagnostics: writeDiagnostics(diagnostics),
      };
    },
    importResourceState: ({ typeName }) => ({
      diagnostics: [
        {
          severity: Diagnostic_Severity.ERROR,
          summary: `${typeName} cannot be imported`,
          detail: "It exists in the state only. Write it in the template; it is made anew.",
        },
      ],
    }),
    readDataSource({ typeName, config }) {
      const { block } = typeOf(dataTypes, typeName);
      const { state, diagnostics } = readData(typeName, configOf(block, config), ctx());
      return { state: writeValue(block, state), diagnostics: writeDiagnostics(diagnostics) };
    },
    stop: () => ({}),
  };
}
