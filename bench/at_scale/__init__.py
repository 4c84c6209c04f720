"""What depends on how many users, or tenants, there are: measured on stores that `hj demo load` filled."""
