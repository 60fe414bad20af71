terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}
data "coder_provisioner" "here" {}

data "coder_parameter" "startup" {
  name         = "startup"
  display_name = "Startup command"
  description  = "Runs in the workspace's folder at each start."
  type         = "string"
  form_type    = "textarea"
  default      = ""
  mutable      = true
  order        = 1
}

data "coder_parameter" "isolate" {
  name         = "isolate"
  display_name = "Own process namespace"
  description  = "Give the workspace a process namespace of its own where this machine allows it."
  type         = "bool"
  default      = "true"
  mutable      = true
  order        = 2
}

resource "coder_agent" "main" {
  os             = data.coder_provisioner.here.os
  arch           = data.coder_provisioner.here.arch
  startup_script = data.coder_parameter.startup.value

  metadata {
    key          = "load"
    display_name = "Load average"
    script       = "cut -d ' ' -f 1 /proc/loadavg"
    interval     = 10
    timeout      = 1
  }
}

resource "coder_app" "processes" {
  agent_id     = coder_agent.main.id
  slug         = "processes"
  display_name = "Processes"
  command      = "top"
}

# The folder outlives stops; deleting the workspace removes it.
resource "terraform_data" "home" {
  input = data.coder_workspace.me.id

  provisioner "local-exec" {
    when        = destroy
    command     = "sh ${path.module}/agent.sh remove"
    environment = { LOCAL_ID = self.output }
  }
}

# Exists before the agent's process and longer: removing it ends whatever runs for this workspace, also after a start
# that was interrupted half-way.
resource "terraform_data" "machine" {
  count            = data.coder_workspace.me.start_count
  triggers_replace = [coder_agent.main.token]
  input            = terraform_data.home.output

  provisioner "local-exec" {
    when        = destroy
    command     = "sh ${path.module}/agent.sh stop"
    environment = { LOCAL_ID = self.output }
  }
}

resource "terraform_data" "process" {
  count            = data.coder_workspace.me.start_count
  triggers_replace = [terraform_data.machine[0].id]

  provisioner "local-exec" {
    command = "sh ${path.module}/agent.sh start"
    environment = {
      LOCAL_ID          = data.coder_workspace.me.id
      LOCAL_ISOLATE     = data.coder_parameter.isolate.value
      LOCAL_INIT_SCRIPT = coder_agent.main.init_script
      CODER_AGENT_TOKEN = coder_agent.main.token
      CODER_AGENT_URL   = data.coder_workspace.me.access_url
    }
  }
}

resource "coder_metadata" "machine" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.machine[0].id

  item {
    key   = "platform"
    value = "${data.coder_provisioner.here.os}/${data.coder_provisioner.here.arch}"
  }
}
