/** Containers beside an agent, and dev containers that it manages. */
import * as w from "./wire.ts";

export const WorkspaceAgentContainerPort = w.struct("WorkspaceAgentContainerPort", {
  port: w.int(),
  network: w.string(),
  host_ip: w.omit(w.string()),
  host_port: w.omit(w.int()),
});
export type WorkspaceAgentContainerPort = w.Infer<typeof WorkspaceAgentContainerPort>;

export const WorkspaceAgentContainer = w.struct("WorkspaceAgentContainer", {
  created_at: w.time(),
  id: w.string(),
  name: w.string(),
  image: w.string(),
  labels: w.nullable(w.map(w.string())),
  running: w.bool(),
  ports: w.nullList(WorkspaceAgentContainerPort),
  status: w.string(),
  volumes: w.nullable(w.map(w.string())),
});
export type WorkspaceAgentContainer = w.Infer<typeof WorkspaceAgentContainer>;

export const WorkspaceAgentDevcontainerStatus = w.enums(
  "running",
  "stopped",
  "starting",
  "stopping",
  "deleting",
  "error",
);

export const WorkspaceAgentDevcontainerAgent = w.struct("WorkspaceAgentDevcontainerAgent", {
  id: w.uuid(),
  name: w.string(),
  directory: w.string(),
});

export const WorkspaceAgentDevcontainer = w.struct("WorkspaceAgentDevcontainer", {
  id: w.uuid(),
  name: w.string(),
  workspace_folder: w.string(),
  config_path: w.omit(w.string()),
  subagent_id: w.nullable(w.uuid()),
  status: WorkspaceAgentDevcontainerStatus,
  dirty: w.bool(),
  container: w.ptr(WorkspaceAgentContainer),
  agent: w.ptr(WorkspaceAgentDevcontainerAgent),
  error: w.omit(w.string()),
});

export const WorkspaceAgentListContainersResponse = w.struct("WorkspaceAgentListContainersResponse", {
  devcontainers: w.nullList(WorkspaceAgentDevcontainer),
  containers: w.nullList(WorkspaceAgentContainer),
  warnings: w.omit(w.list(w.string())),
});
export type WorkspaceAgentListContainersResponse = w.Infer<typeof WorkspaceAgentListContainersResponse>;
