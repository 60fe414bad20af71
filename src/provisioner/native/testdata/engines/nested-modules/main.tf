terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}
variable "image" {
  type    = string
  default = "from-default"
}
variable "extra" {
  type = map(list(string))
  default = { a = ["1"] }
}
resource "coder_agent" "a" {
  os   = "linux"
  arch = "amd64"
}
resource "coder_agent" "b" {
  os   = "windows"
  arch = "amd64"
  auth = "token"
}
module "outer" {
  source = "./outer"
  agents = { a = coder_agent.a.id, b = coder_agent.b.id }
  on     = data.coder_workspace.me.start_count
}
resource "terraform_data" "h" {
  input = [coder_agent.a.token, module.outer.inner_ids, var.image, var.extra]
  depends_on = [module.outer]
}
resource "terraform_data" "h2" {
  count = data.coder_workspace.me.start_count
  input = coder_agent.b.init_script
}
resource "coder_metadata" "m" {
  resource_id = terraform_data.h.id
  hide = true
}
output "deep" { value = module.outer }
