image = "from-tfvars"
